#include "mock_provider/mock_chat.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace llm_edge_cache::app {
namespace {

using nlohmann::json;
using ::testing::EndsWith;
using ::testing::Ne;
using ::testing::StartsWith;

json chat_request(json more = json::object()) {
  json request = {{"model", "gpt-4o"},
                  {"messages", json::array({{{"role", "user"}, {"content", "What is a cache?"}}})}};
  request.update(more);
  return request;
}

json answer_to(const json& request) {
  const auto reply = mock_chat(request.dump());
  EXPECT_EQ(reply.status, 200U) << reply.body();
  return json::parse(reply.body());
}

std::vector<json> chunks_of(const MockReply& reply) {
  std::vector<json> chunks;
  for (const auto& piece : reply.pieces) {
    EXPECT_THAT(piece, StartsWith("data: "));
    EXPECT_THAT(piece, EndsWith("\n\n"));
    if (piece != "data: [DONE]\n\n") chunks.push_back(json::parse(piece.substr(6)));
  }
  return chunks;
}

std::string content_of_stream(const MockReply& reply, std::size_t index = 0) {
  std::string content;
  for (const auto& chunk : chunks_of(reply)) {
    for (const auto& choice : chunk.at("choices")) {
      if (choice.at("index") == index) content += choice.at("delta").value("content", "");
    }
  }
  return content;
}

const json kWeatherTool = {{"type", "function"},
                           {"function",
                            {{"name", "get_weather"},
                             {"parameters",
                              {{"type", "object"},
                               {"properties",
                                {{"city", {{"type", "string"}}},
                                 {"days", {{"type", "integer"}}},
                                 {"unit", {{"enum", json::array({"c", "f"})}}}}}}}}}};

TEST(MockChatTest, answers_the_same_bytes_to_the_same_request) {
  EXPECT_EQ(mock_chat(chat_request().dump()).pieces, mock_chat(chat_request().dump()).pieces);
}

TEST(MockChatTest, the_order_of_members_changes_nothing) {
  EXPECT_EQ(mock_chat(R"({"model":"m","messages":[{"content":"x","role":"user"}]})").pieces,
            mock_chat(R"({ "messages":[{"role":"user","content":"x"}], "model":"m"})").pieces);
}

TEST(MockChatTest, another_question_has_another_answer) {
  auto other = chat_request();
  other["messages"][0]["content"] = "What is a cash?";
  EXPECT_NE(answer_to(other)["id"], answer_to(chat_request())["id"]);
  EXPECT_NE(answer_to(other)["choices"], answer_to(chat_request())["choices"]);
}

TEST(MockChatTest, every_parameter_that_may_change_an_answer_does) {
  EXPECT_NE(answer_to(chat_request({{"temperature", 0.5}}))["id"], answer_to(chat_request())["id"]);
}

TEST(MockChatTest, delivery_does_not_change_the_answer) {
  const auto plain = answer_to(chat_request());
  EXPECT_EQ(answer_to(chat_request({{"user", "u"}, {"metadata", {{"k", "v"}}}})), plain);
  const auto stream = mock_chat(chat_request({{"stream", true}}).dump());
  EXPECT_EQ(json(content_of_stream(stream)), plain["choices"][0]["message"]["content"]);
  EXPECT_EQ(chunks_of(stream)[0]["id"], plain["id"]);
}

TEST(MockChatTest, a_body_has_the_shape_of_a_chat_completion) {
  const auto answer = answer_to(chat_request());
  EXPECT_EQ(answer["object"], "chat.completion");
  EXPECT_EQ(answer["model"], "gpt-4o");
  EXPECT_EQ(answer["choices"].size(), 1U);
  EXPECT_EQ(answer["choices"][0]["finish_reason"], "stop");
  EXPECT_EQ(answer["choices"][0]["message"]["role"], "assistant");
  const auto& usage = answer["usage"];
  EXPECT_GT(usage["completion_tokens"], 0);
  EXPECT_EQ(usage["total_tokens"],
            usage["prompt_tokens"].get<int>() + usage["completion_tokens"].get<int>());
}

TEST(MockChatTest, a_stream_goes_from_role_over_text_to_finish_reason_and_done) {
  const auto reply = mock_chat(chat_request({{"stream", true}}).dump());
  EXPECT_TRUE(reply.is_stream);
  EXPECT_EQ(reply.content_type, "text/event-stream; charset=utf-8");
  EXPECT_EQ(reply.pieces.back(), "data: [DONE]\n\n");
  const auto chunks = chunks_of(reply);
  EXPECT_EQ(chunks.front()["choices"][0]["delta"]["role"], "assistant");
  EXPECT_EQ(chunks.back()["choices"][0]["finish_reason"], "stop");
  EXPECT_EQ(chunks.back()["choices"][0]["delta"], json::object());
  EXPECT_FALSE(chunks.back().contains("usage"));
}

TEST(MockChatTest, usage_ends_a_stream_that_asked_for_it) {
  const auto chunks = chunks_of(mock_chat(
      chat_request({{"stream", true}, {"stream_options", {{"include_usage", true}}}}).dump()));
  EXPECT_TRUE(chunks.front()["usage"].is_null());
  EXPECT_EQ(chunks.back()["choices"], json::array());
  EXPECT_EQ(chunks.back()["usage"], answer_to(chat_request())["usage"]);
}

TEST(MockChatTest, several_choices_differ_and_advance_side_by_side) {
  const auto body = answer_to(chat_request({{"n", 3}}));
  ASSERT_EQ(body["choices"].size(), 3U);
  EXPECT_NE(body["choices"][0]["message"], body["choices"][1]["message"]);
  const auto stream = mock_chat(chat_request({{"n", 3}, {"stream", true}}).dump());
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(json(content_of_stream(stream, i)), body["choices"][i]["message"]["content"]);
  }
}

TEST(MockChatTest, a_demanded_tool_is_called_with_arguments_of_its_schema) {
  for (const json& demand :
       {json("required"), json{{"type", "function"}, {"function", {{"name", "get_weather"}}}}}) {
    const auto answer =
        answer_to(chat_request({{"tools", json::array({kWeatherTool})}, {"tool_choice", demand}}));
    const auto& choice = answer["choices"][0];
    EXPECT_EQ(choice["finish_reason"], "tool_calls");
    EXPECT_TRUE(choice["message"]["content"].is_null());
    const auto& function = choice["message"]["tool_calls"][0]["function"];
    EXPECT_EQ(function["name"], "get_weather");
    const auto arguments = json::parse(function["arguments"].get<std::string>());
    EXPECT_TRUE(arguments["city"].is_string());
    EXPECT_TRUE(arguments["days"].is_number_integer());
    EXPECT_THAT(arguments["unit"], ::testing::AnyOf(json("c"), json("f")));
  }
}

TEST(MockChatTest, a_streamed_tool_call_comes_in_pieces_of_the_same_arguments) {
  const json demand = {{"tools", json::array({kWeatherTool})}, {"tool_choice", "required"}};
  auto streamed = demand;
  streamed["stream"] = true;
  std::string arguments;
  for (const auto& chunk : chunks_of(mock_chat(chat_request(streamed).dump()))) {
    const auto& delta = chunk["choices"][0]["delta"];
    if (!delta.contains("tool_calls")) continue;
    arguments += delta["tool_calls"][0]["function"]["arguments"].get<std::string>();
  }
  EXPECT_EQ(json(arguments),
            answer_to(chat_request(
                demand))["choices"][0]["message"]["tool_calls"][0]["function"]["arguments"]);
}

TEST(MockChatTest, a_tool_that_is_only_offered_is_not_called) {
  const auto answer = answer_to(chat_request({{"tools", json::array({kWeatherTool})}}));
  EXPECT_EQ(answer["choices"][0]["finish_reason"], "stop");
}

TEST(MockChatTest, json_is_answered_where_it_is_demanded) {
  const auto text = [](const json& answer) {
    return answer["choices"][0]["message"]["content"].get<std::string>();
  };
  const auto object = answer_to(chat_request({{"response_format", {{"type", "json_object"}}}}));
  EXPECT_TRUE(json::parse(text(object)).is_object());
  const json schema = {{"type", "object"}, {"properties", {{"ok", {{"type", "boolean"}}}}}};
  const auto shaped = answer_to(chat_request(
      {{"response_format", {{"type", "json_schema"}, {"json_schema", {{"schema", schema}}}}}}));
  EXPECT_TRUE(json::parse(text(shaped))["ok"].is_boolean());
}

TEST(MockChatTest, a_limit_of_tokens_cuts_and_says_so) {
  const auto answer = answer_to(chat_request({{"max_tokens", 3}}));
  EXPECT_EQ(answer["choices"][0]["finish_reason"], "length");
  EXPECT_EQ(answer["usage"]["completion_tokens"], 3);
}

TEST(MockChatTest, what_is_no_chat_request_is_refused_in_the_shape_of_the_api) {
  const auto deep = std::string(100'000, '[');
  for (const std::string& body :
       {std::string("{"), std::string("[]"), std::string("\"\xff\""), deep, std::string("{}"),
        std::string(R"({"model":"m"})"), std::string(R"({"model":"m","messages":[]})"),
        std::string(R"({"model":"m","messages":[1]})"), std::string(R"({"model":1})"),
        R"({"model":"m","messages":[{"content":)" + deep}) {
    const auto reply = mock_chat(body);
    EXPECT_EQ(reply.status, 400U) << body.substr(0, 60);
    const auto error = json::parse(reply.body()).at("error");
    EXPECT_EQ(error["type"], "invalid_request_error");
    EXPECT_THAT(error["message"].get<std::string>(), Ne(""));
  }
}

TEST(MockChatTest, a_model_can_be_asked_to_fail) {
  const auto reply = mock_chat(chat_request({{"model", "mock-status-429"}}).dump());
  EXPECT_EQ(reply.status, 429U);
  EXPECT_EQ(json::parse(reply.body())["error"]["type"], "rate_limit_error");
  EXPECT_EQ(mock_chat(chat_request({{"model", "mock-status-9"}}).dump()).status, 200U);
}

TEST(MockChatTest, a_model_can_be_asked_to_break_off) {
  EXPECT_TRUE(mock_chat(chat_request({{"model", "mock-cut"}}).dump()).cut_in_the_middle);
  EXPECT_FALSE(mock_chat(chat_request().dump()).cut_in_the_middle);
}

TEST(MockFailsTest, never_at_zero_and_always_at_one) {
  for (std::uint64_t i = 0; i < 1'000; ++i) {
    EXPECT_FALSE(mock_fails(0.0, i * 7919, i));
    EXPECT_TRUE(mock_fails(1.0, i * 7919, i));
  }
}

TEST(MockFailsTest, comes_close_to_its_rate_and_repeats_itself) {
  int failed = 0;
  for (std::uint64_t i = 0; i < 10'000; ++i) {
    failed += mock_fails(0.2, 42, i) ? 1 : 0;
    EXPECT_EQ(mock_fails(0.2, 42, i), mock_fails(0.2, 42, i));
  }
  EXPECT_NEAR(failed, 2'000, 200);
}

TEST(MockModelsTest, lists_models) {
  const auto models = json::parse(mock_models().body());
  EXPECT_EQ(models["object"], "list");
  EXPECT_GT(models["data"].size(), 0U);
}

}  // namespace
}  // namespace llm_edge_cache::app
