// The simulated endpoints beside chat: each answers as its dialect expects, in both forms.
#include <gtest/gtest.h>

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "mock_provider/mock_chat.hpp"
#include "mock_provider/mock_completion.hpp"
#include "mock_provider/mock_embeddings.hpp"
#include "mock_provider/mock_messages.hpp"
#include "mock_provider/mock_responses.hpp"
#include "proxy/dialects/dialects.hpp"

namespace llm_edge_cache::app {
namespace {

using nlohmann::json;
using proxy::AnswerForm;

struct Case {
  std::string name;
  std::string path;
  std::function<MockReply(std::string_view)> answer;
  json request;
};

json with(json request, const json& more) {
  request.update(more);
  return request;
}

std::vector<Case> all_cases() {
  const json chat = {{"model", "m"},
                     {"messages", json::array({{{"role", "user"}, {"content", "Why?"}}})}};
  const json messages = with(chat, {{"max_tokens", 1'000}});
  const json parameters = {{"type", "object"}, {"properties", {{"city", {{"type", "string"}}}}}};
  const json function = {{"name", "f"}, {"parameters", parameters}};
  const json responses = {{"model", "m"}, {"input", "Why?"}};
  return {
      {"chat", "/v1/chat/completions", mock_chat, chat},
      {"chat_choices", "/v1/chat/completions", mock_chat, with(chat, {{"n", 3}})},
      {"chat_tool", "/v1/chat/completions", mock_chat,
       with(chat, {{"tool_choice", "required"},
                   {"tools", json::array({{{"type", "function"}, {"function", function}}})}})},
      {"completion", "/v1/completions", mock_completion, {{"model", "m"}, {"prompt", "Why?"}}},
      {"completion_list",
       "/v1/completions",
       mock_completion,
       {{"model", "m"}, {"prompt", {"Why?", "Who?"}}}},
      {"messages", "/v1/messages", mock_messages, messages},
      {"messages_schema", "/v1/messages", mock_messages,
       with(messages,
            {{"output_config", {{"format", {{"type", "json_schema"}, {"schema", parameters}}}}}})},
      {"messages_thinking", "/v1/messages", mock_messages,
       with(messages, {{"model", "mock-redacted"}, {"thinking", {{"type", "enabled"}}}})},
      {"messages_tool", "/v1/messages", mock_messages,
       with(messages, {{"tool_choice", {{"type", "any"}}},
                       {"tools", json::array({{{"name", "f"}, {"input_schema", parameters}}})}})},
      {"messages_search", "/v1/messages", mock_messages,
       with(messages,
            {{"tools", json::array({{{"type", "web_search_20250305"}, {"name", "web_search"}}})}})},
      {"responses", "/v1/responses", mock_responses, responses},
      {"responses_reasoning", "/v1/responses", mock_responses,
       with(responses, {{"reasoning", {{"effort", "low"}}}})},
      {"responses_tool", "/v1/responses", mock_responses,
       with(responses, {{"tool_choice", "required"},
                        {"tools", json::array({with(function, {{"type", "function"}})})}})},
      {"responses_search", "/v1/responses", mock_responses,
       with(responses, {{"tools", json::array({{{"type", "web_search"}}})}})},
  };
}

class MockApiTest : public ::testing::TestWithParam<Case> {
 protected:
  static std::string answer(const json& more = json::object()) {
    const auto reply = GetParam().answer(with(GetParam().request, more).dump());
    EXPECT_EQ(reply.status, 200U) << reply.body();
    return reply.body();
  }

  const proxy::Dialects dialects_;
  const proxy::Dialect& dialect_ = *dialects_.find("POST", GetParam().path);
};

TEST_P(MockApiTest, is_complete_in_both_forms) {
  EXPECT_FALSE(dialect_.review(AnswerForm::kJson, answer()).refusal);
  EXPECT_FALSE(dialect_.review(AnswerForm::kStream, answer({{"stream", true}})).refusal);
}

TEST_P(MockApiTest, says_the_same_in_both_forms) {
  json wish = {{"stream", true}};
  if (GetParam().path != "/v1/messages") {  // where usage needs no asking
    wish["stream_options"] = {{"include_usage", true}};
  }
  const auto stream = answer(wish);
  const auto adapted = dialect_.adapt(AnswerForm::kStream, stream, {});
  ASSERT_TRUE(adapted.ok()) << adapted.error().message << stream;
  EXPECT_EQ(json::parse(**adapted), json::parse(answer()));
}

TEST_P(MockApiTest, can_be_split) {
  EXPECT_TRUE(dialect_.adapt(AnswerForm::kJson, answer(), {.form = AnswerForm::kStream}).ok());
}

TEST_P(MockApiTest, is_a_function_of_the_request) {
  EXPECT_EQ(answer(), answer());
  EXPECT_NE(answer(), answer({{"temperature", 0.25}}));
}

TEST_P(MockApiTest, fails_where_the_model_says_so) {
  const auto reply =
      GetParam().answer(with(GetParam().request, {{"model", "mock-status-503"}}).dump());
  EXPECT_EQ(reply.status, 503U);
  const auto error = json::parse(reply.body());
  EXPECT_EQ(error.contains("type"), GetParam().path == "/v1/messages");
  EXPECT_TRUE(error["error"]["message"].is_string());
}

TEST_P(MockApiTest, refuses_what_is_no_request) {
  for (const auto* body : {"", "[]", "{}", R"({"model":7})", R"({"model":"m"})"}) {
    EXPECT_EQ(GetParam().answer(body).status, 400U) << body;
  }
}

TEST_P(MockApiTest, is_cut_by_a_limit_on_tokens_and_says_so) {
  const auto text_only = GetParam().name == "messages" || GetParam().name == "responses" ||
                         GetParam().name == "completion";
  if (!text_only) {
    GTEST_SKIP() << "the limit counts for plain text";
  }
  const json limit = {{"max_tokens", 2}, {"max_output_tokens", 2}};
  EXPECT_EQ(dialect_.review(AnswerForm::kJson, answer(limit)).refusal,
            proxy::StoreRefusal::kFinishReason);
  EXPECT_EQ(dialect_.review(AnswerForm::kStream, answer(with(limit, {{"stream", true}}))).refusal,
            proxy::StoreRefusal::kFinishReason);
}

INSTANTIATE_TEST_SUITE_P(Endpoints, MockApiTest, ::testing::ValuesIn(all_cases()),
                         [](const auto& api) { return api.param.name; });

json embeddings(const json& request) {
  const auto reply = mock_embeddings(with({{"model", "m"}}, request).dump());
  EXPECT_EQ(reply.status, 200U) << reply.body();
  return json::parse(reply.body());
}

TEST(MockEmbeddingsTest, a_vector_depends_on_its_element_alone) {
  const auto one = embeddings({{"input", "a"}});
  const auto two = embeddings({{"input", {"b", "a"}}});
  EXPECT_EQ(one["data"][0]["embedding"], two["data"][1]["embedding"]);
  EXPECT_NE(two["data"][0]["embedding"], two["data"][1]["embedding"]);
  EXPECT_EQ(two["data"][1]["index"], 1);
  EXPECT_EQ(one["data"][0]["embedding"].size(), 16U);
}

TEST(MockEmbeddingsTest, has_the_length_one_and_the_dimensions_that_are_asked_for) {
  const auto answer = embeddings({{"input", json::array({1, 2})}, {"dimensions", 3}});
  double square = 0;
  for (const double number : answer["data"][0]["embedding"]) {
    square += number * number;
  }
  EXPECT_NEAR(square, 1.0, 1e-6);
  EXPECT_EQ(answer["data"][0]["embedding"].size(), 3U);
  EXPECT_EQ(answer["usage"]["prompt_tokens"], 2);
}

TEST(MockEmbeddingsTest, writes_four_bytes_a_number_in_base64) {
  const auto answer =
      embeddings({{"input", "a"}, {"dimensions", 3}, {"encoding_format", "base64"}});
  EXPECT_EQ(answer["data"][0]["embedding"].get<std::string>().size(), 16U);
}

TEST(MockEmbeddingsTest, miscounts_on_purpose) {
  EXPECT_EQ(embeddings({{"model", "mock-miscount"}, {"input", {"a", "b"}}})["data"].size(), 1U);
}

TEST(MockEmbeddingsTest, needs_an_input) {
  for (const json& input : {json(), json::array(), json(7), json::array({json::object()})}) {
    EXPECT_EQ(mock_embeddings(json{{"model", "m"}, {"input", input}}.dump()).status, 400U);
  }
}

TEST(MockCountTokensTest, counts) {
  const json request = {{"model", "m"}, {"messages", json::array({{{"content", "Hi"}}})}};
  EXPECT_GT(json::parse(mock_count_tokens(request.dump()).body())["input_tokens"], 0);
  EXPECT_EQ(mock_count_tokens("{}").status, 400U);
}

}  // namespace
}  // namespace llm_edge_cache::app
