#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "proxy/dialects/chat_stream.hpp"
#include "proxy/dialects/event_blocks.hpp"
#include "tests/unit/proxy/dialects/chat_fixtures.hpp"

namespace llm_edge_cache::proxy::chat_splitter_test {
namespace {

struct SplitOptions {
  bool include_usage = false;
};

std::vector<std::string> data_of(std::string_view body, SplitOptions options) {
  std::vector<std::string> data;
  const auto stream = split_chat(Json::parse(body), options.include_usage);
  for (const auto block : event_blocks(stream)) {
    data.push_back(event_data(block));
  }
  return data;
}

Json body_with(std::string_view message, std::string_view rest = R"("finish_reason":"stop")") {
  return Json::parse(
      R"({"id":"c1","object":"chat.completion","model":"m-1","choices":[{"index":0,"message":)" +
      std::string(message) + "," + std::string(rest) +
      R"(}],"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}})");
}

// Without the order of members, which a stream does not carry.
nlohmann::json unordered(const Json& value) {
  return nlohmann::json::parse(value.dump());
}

Json joined(const Json& body) {
  auto assembled = assemble_chat(split_chat(body, /*include_usage=*/true));
  EXPECT_FALSE(assembled.refusal);
  return assembled.body;
}

// Log probabilities that are null are said in a stream, whether the body said so or not.
Json with_null_logprobs(Json body) {
  for (auto& choice : body["choices"]) {
    choice.emplace("logprobs", nullptr);
  }
  return body;
}

TEST(SplitChatTest, begins_with_the_role_and_ends_with_done) {
  const auto data = data_of(test::kHelloBody, {});
  ASSERT_GE(data.size(), 4U);
  const auto first = Json::parse(data.front());
  EXPECT_EQ(first["object"], "chat.completion.chunk");
  EXPECT_EQ(first["choices"][0]["delta"],
            Json::parse(R"({"role":"assistant","content":"","refusal":null})"));
  const auto last = Json::parse(data[data.size() - 2]);
  EXPECT_EQ(last["choices"][0]["delta"], Json::object());
  EXPECT_EQ(last["choices"][0]["finish_reason"], "stop");
  EXPECT_EQ(data.back(), "[DONE]");
}

TEST(SplitChatTest, sends_usage_only_where_it_is_asked_for) {
  for (const auto& data : data_of(test::kHelloBody, {})) {
    EXPECT_EQ(data.find("usage"), std::string::npos);
  }
  const auto data = data_of(test::kHelloBody, {.include_usage = true});
  const auto usage = Json::parse(data[data.size() - 2]);
  EXPECT_EQ(usage["choices"], Json::array());
  EXPECT_EQ(usage["usage"]["total_tokens"], 5);
  EXPECT_TRUE(Json::parse(data.front())["usage"].is_null());
}

TEST(SplitChatTest, is_undone_by_assembling) {
  EXPECT_EQ(joined(Json::parse(test::kHelloBody)), Json::parse(test::kHelloBody));
}

TEST(SplitChatTest, keeps_tool_calls_reasoning_and_unknown_members) {
  const auto body = body_with(
      R"({"role":"assistant","reasoning_content":"Hm.","content":null,"refusal":null,)"
      R"("tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{\"x\":1}"}},)"
      R"({"id":"b","type":"function","function":{"name":"g","arguments":""}}],)"
      R"("annotations":[{"type":"url_citation","url":"u"}],"audio":{"id":"x","data":"AA=="}})",
      R"("logprobs":null,"finish_reason":"tool_calls","content_filter_results":{"hate":{"severity":"safe"}})");
  EXPECT_EQ(unordered(joined(body)), unordered(body));
}

// The members of the deltas, in the order in which they first come; what is null or empty tells
// nothing yet.
std::vector<std::string> members_told(const Json& body) {
  std::vector<std::string> names;
  for (const auto& data : data_of(body.dump(), {})) {
    const auto chunk = data == "[DONE]" ? Json() : Json::parse(data);
    for (const auto& choice : member_of(chunk, "choices")) {
      for (const auto& [name, value] : choice["delta"].items()) {
        const bool tells = name != "role" && !value.is_null() && value != "";
        if (tells && std::find(names.begin(), names.end(), name) == names.end()) {
          names.push_back(name);
        }
      }
    }
  }
  return names;
}

TEST(SplitChatTest, tells_reasoning_first_and_calls_last_whatever_the_order_of_the_body) {
  const auto body = body_with(
      R"({"role":"assistant","function_call":{"name":"f","arguments":"{}"},)"
      R"("tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{}"}}],)"
      R"("content":"Yes.","refusal":"No.","annotations":[],"thinking":"t",)"
      R"("reasoning_details":[{"type":"reasoning.text","text":"Hm."}],"reasoning_content":"c",)"
      R"("reasoning":"r"})",
      R"("logprobs":null,"finish_reason":"tool_calls")");
  EXPECT_EQ(members_told(body),
            (std::vector<std::string>{"thinking", "reasoning_details", "reasoning_content",
                                      "reasoning", "content", "refusal", "annotations",
                                      "function_call", "tool_calls"}));
  EXPECT_EQ(unordered(joined(body)), unordered(body));
}

TEST(SplitChatTest, keeps_log_probabilities_that_belong_to_no_text) {
  const auto body =
      body_with(R"({"role":"assistant","content":null})",
                R"("logprobs":{"content":null,"refusal":null},"finish_reason":"stop")");
  EXPECT_EQ(unordered(joined(body)), unordered(body));
}

TEST(SplitChatTest, keeps_log_probabilities_with_their_text) {
  const auto body = body_with(
      R"({"role":"assistant","content":"Hello world, a sentence long enough to be cut in pieces otherwise."})",
      R"("logprobs":{"content":[{"token":"Hello","logprob":-0.25,"top_logprobs":[]}],"refusal":null},"finish_reason":"stop")");
  EXPECT_EQ(joined(body)["choices"][0]["logprobs"], body["choices"][0]["logprobs"]);
}

TEST(SplitChatTest, keeps_several_choices) {
  auto body = body_with(R"({"role":"assistant","content":"one"})");
  auto second = body["choices"][0];
  second["index"] = 1;
  second["message"]["content"] = "two";
  body["choices"].push_back(second);
  EXPECT_EQ(unordered(joined(body)), unordered(with_null_logprobs(body)));
}

TEST(SplitChatTest, cuts_long_text_into_pieces_that_are_text_themselves) {
  std::string text;
  for (int i = 0; i < 100; ++i) {
    text += "Grüße 世界 ";
  }
  auto body = body_with(R"({"role":"assistant","content":""})");
  body["choices"][0]["message"]["content"] = text;
  EXPECT_GT(data_of(body.dump(), {}).size(), 10U);
  EXPECT_EQ(joined(body)["choices"][0]["message"]["content"], text);
}

TEST(SplitChatTest, never_cuts_within_a_character) {
  std::string text;
  for (int i = 0; i < 200; ++i) {
    text += "\xF0\x9F\x98\x80";  // no white space to cut at
  }
  auto body = body_with(R"({"role":"assistant","content":""})");
  body["choices"][0]["message"]["content"] = text;
  for (const auto& data : data_of(body.dump(), {})) {
    EXPECT_TRUE(data == "[DONE]" || Json::accept(data));
  }
  EXPECT_EQ(joined(body)["choices"][0]["message"]["content"], text);
}

TEST(SplitChatTest, survives_members_of_an_unexpected_kind) {
  const auto body =
      body_with(R"({"role":"assistant","content":[{"type":"text","text":"a"}],"tool_calls":[7]})");
  EXPECT_NO_THROW((void)split_chat(body, true));
}

}  // namespace
}  // namespace llm_edge_cache::proxy::chat_splitter_test
