#include "proxy/dialects/openai_chat.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "tests/unit/proxy/dialects/chat_fixtures.hpp"

namespace llm_edge_cache::proxy::openai_chat_test {
namespace {

using nlohmann::json;

const OpenAiChatDialect kDialect;
constexpr AnswerWish kJsonWish{AnswerForm::kJson, false};
constexpr AnswerWish kStreamWish{AnswerForm::kStream, false};
constexpr AnswerWish kStreamWithUsageWish{AnswerForm::kStream, true};

json hello() {
  return json::parse(test::kHelloBody);
}

std::optional<StoreRefusal> refusal_of(const json& body) {
  return kDialect.review(AnswerForm::kJson, body.dump()).refusal;
}

TEST(OpenAiChatTest, matches_chat_completions_alone) {
  EXPECT_TRUE(kDialect.matches("POST", "/v1/chat/completions"));
  EXPECT_FALSE(kDialect.matches("GET", "/v1/chat/completions"));
  EXPECT_FALSE(kDialect.matches("POST", "/v1/chat/completions/x"));
  EXPECT_FALSE(kDialect.matches("POST", "/v1/completions"));
}

TEST(OpenAiChatTest, reads_what_form_is_wanted) {
  EXPECT_EQ(*kDialect.read_wish("{}"), kJsonWish);
  EXPECT_EQ(*kDialect.read_wish(R"({"stream":false})"), kJsonWish);
  EXPECT_EQ(*kDialect.read_wish(R"({"stream":null})"), kJsonWish);
  EXPECT_EQ(*kDialect.read_wish(R"({"stream":true})"), kStreamWish);
  EXPECT_EQ(*kDialect.read_wish(R"({"stream":true,"stream_options":{"include_usage":true}})"),
            kStreamWithUsageWish);
}

TEST(OpenAiChatTest, usage_options_mean_nothing_without_a_stream) {
  EXPECT_EQ(*kDialect.read_wish(R"({"stream_options":{"include_usage":true}})"), kJsonWish);
}

TEST(OpenAiChatTest, leaves_stream_options_it_does_not_know_to_the_provider) {
  const auto wish = [](const std::string& options) {
    return kDialect.read_wish(R"({"stream":true,"stream_options":)" + options + "}");
  };
  EXPECT_TRUE(wish("null").ok());
  EXPECT_TRUE(wish("{}").ok());
  EXPECT_TRUE(wish(R"({"include_usage":true,"continuous_usage_stats":false})").ok());
  EXPECT_TRUE(wish(R"({"include_obfuscation":false,"continuous_usage_stats":null})").ok());
  EXPECT_FALSE(wish(R"({"include_usage":true,"continuous_usage_stats":true})").ok());
  EXPECT_FALSE(wish(R"({"include_usage":true,"unknown":false})").ok());
  EXPECT_FALSE(wish("true").ok());
}

TEST(OpenAiChatTest, leaves_a_wish_it_cannot_read_to_the_provider) {
  EXPECT_FALSE(kDialect.read_wish(R"({"stream":"yes"})").ok());
  EXPECT_FALSE(kDialect.read_wish(R"({"stream":1})").ok());
  EXPECT_FALSE(kDialect.read_wish("[]").ok());
  EXPECT_FALSE(kDialect.read_wish("").ok());
}

TEST(OpenAiChatTest, leaves_requests_about_the_prompt_cache_to_the_provider) {
  EXPECT_TRUE(kDialect.read_wish(R"({"prompt_cache_options":{"mode":"explicit"}})").ok());
  EXPECT_FALSE(kDialect.read_wish(R"({"prompt_cache_options":{"prewarm":true}})").ok());
}

TEST(OpenAiChatTest, does_not_keep_an_answer_that_repeats_one_callers_metadata) {
  auto body = hello();
  body["metadata"] = json::object();
  EXPECT_FALSE(refusal_of(body));
  body["metadata"] = {{"customer", "c"}};
  EXPECT_EQ(refusal_of(body), StoreRefusal::kNotAsked);
}

TEST(OpenAiChatTest, a_complete_body_may_be_stored_and_says_what_it_is) {
  const auto review = kDialect.review(AnswerForm::kJson, test::kHelloBody);
  EXPECT_FALSE(review.refusal);
  EXPECT_EQ(review.model, "m-1");
  EXPECT_EQ(review.finish_reason, "stop");
  EXPECT_EQ(review.usage, (TokenUsage{3, 2, 5}));
}

TEST(OpenAiChatTest, a_complete_stream_may_be_stored_and_says_the_same) {
  const auto review = kDialect.review(AnswerForm::kStream, test::hello_stream_with_usage());
  EXPECT_FALSE(review.refusal);
  EXPECT_EQ(review.model, "m-1");
  EXPECT_EQ(review.finish_reason, "stop");
  EXPECT_EQ(review.usage, (TokenUsage{3, 2, 5}));
  EXPECT_FALSE(kDialect.review(AnswerForm::kStream, test::hello_stream()).usage);
}

TEST(OpenAiChatTest, refuses_an_answer_that_a_limit_or_a_filter_ended) {
  for (const auto* reason :
       {"length", "content_filter", "error", "insufficient_system_resource", ""}) {
    auto body = hello();
    body["choices"][0]["finish_reason"] = reason;
    EXPECT_EQ(refusal_of(body), StoreRefusal::kFinishReason) << reason;
  }
}

// Whoever asks again because the arguments cannot be read is not to get them again.
TEST(OpenAiChatTest, refuses_calls_whose_arguments_no_tool_can_read) {
  const auto with_arguments = [](const char* arguments) {
    auto body = hello();
    auto& choice = body["choices"][0];
    choice["finish_reason"] = "tool_calls";
    const json function = {{"name", "f"}, {"arguments", arguments}};
    choice["message"]["tool_calls"] = {{{"id", "c"}, {"type", "function"}, {"function", function}}};
    return body;
  };
  for (const auto* usable : {"", "{}", R"({"id":123456789012345678901})", "[1]"}) {
    EXPECT_FALSE(refusal_of(with_arguments(usable))) << usable;
  }
  for (const auto* broken : {R"({"city":)", R"({"city":"Paris")", "city", "{}{}"}) {
    EXPECT_EQ(refusal_of(with_arguments(broken)), StoreRefusal::kMalformed) << broken;
  }
  auto no_list = with_arguments("{}");
  auto& calls = no_list["choices"][0]["message"]["tool_calls"];
  calls = json(calls[0]);
  EXPECT_EQ(refusal_of(no_list), StoreRefusal::kMalformed);
  auto older = hello();
  older["choices"][0]["message"]["function_call"] = {{"name", "f"}, {"arguments", "{"}};
  EXPECT_EQ(refusal_of(older), StoreRefusal::kMalformed);
}

TEST(OpenAiChatTest, refuses_where_any_choice_is_unfinished) {
  auto body = hello();
  body["choices"].push_back(body["choices"][0]);
  body["choices"][1]["finish_reason"] = nullptr;
  EXPECT_EQ(refusal_of(body), StoreRefusal::kUnfinished);
}

TEST(OpenAiChatTest, refuses_an_error_that_comes_with_status_200) {
  auto body = hello();
  body["error"] = {{"message", "overloaded"}};
  EXPECT_EQ(refusal_of(body), StoreRefusal::kErrorInAnswer);
  body["error"] = nullptr;
  EXPECT_FALSE(refusal_of(body));
}

TEST(OpenAiChatTest, refuses_an_answer_whose_moderation_failed) {
  const json fine = {{"type", "moderation_results"}, {"results", json::array()}};
  const json failed = {{"type", "error"}, {"code", "server_error"}, {"message", "m"}};
  auto body = hello();
  body["moderation"] = {{"input", fine}, {"output", fine}};
  EXPECT_FALSE(refusal_of(body));
  body["moderation"] = {{"input", failed}, {"output", fine}};
  EXPECT_EQ(refusal_of(body), StoreRefusal::kErrorInAnswer);
  body["moderation"] = {{"input", fine}, {"output", failed}};
  EXPECT_EQ(refusal_of(body), StoreRefusal::kErrorInAnswer);
}

// The chunk by which OpenAI tells the moderation, after the usage.
std::string stream_with_moderation(const std::string& output_type) {
  const auto late = R"({"id":"c1","object":"chat.completion.chunk","created":7,"model":"m-1",)"
                    R"("system_fingerprint":"fp","choices":[],"moderation":{"input":{"type":)"
                    R"("moderation_results"},"output":{"type":")" +
                    output_type + R"("}}})";
  return test::sse({test::kRoleChunk, test::kHelloChunk, test::kWorldChunk, test::kStopChunk,
                    test::kUsageChunk, late, test::kDone});
}

TEST(OpenAiChatTest, refuses_a_stream_whose_moderation_failed) {
  EXPECT_FALSE(
      kDialect.review(AnswerForm::kStream, stream_with_moderation("moderation_results")).refusal);
  EXPECT_EQ(kDialect.review(AnswerForm::kStream, stream_with_moderation("error")).refusal,
            StoreRefusal::kErrorInAnswer);
}

TEST(OpenAiChatAdaptTest, usage_is_found_before_a_late_chunk_without_choices) {
  const auto stream = stream_with_moderation("moderation_results");
  const auto as_it_is = kDialect.adapt(AnswerForm::kStream, stream, kStreamWithUsageWish);
  ASSERT_TRUE(as_it_is.ok()) << as_it_is.error().message;
  EXPECT_FALSE(as_it_is->has_value());
  const auto without = kDialect.adapt(AnswerForm::kStream, stream, kStreamWish);
  ASSERT_TRUE(without.ok());
  ASSERT_TRUE(without->has_value());
  EXPECT_EQ((*without)->find("usage"), std::string::npos);
  EXPECT_NE((*without)->find("moderation_results"), std::string::npos);
  const auto body = kDialect.adapt(AnswerForm::kStream, stream, kJsonWish);
  ASSERT_TRUE(body.ok());
  EXPECT_EQ(json::parse(**body)["usage"], hello()["usage"]);
  EXPECT_TRUE(json::parse(**body).contains("moderation"));
}

TEST(OpenAiChatAdaptTest, a_stream_tells_reasoning_first_and_calls_last_and_comes_back) {
  auto body = hello();
  auto& choice = body["choices"][0];
  choice["finish_reason"] = "tool_calls";
  // Members of this type of JSON are in the order of the alphabet: calls before the reasoning.
  choice["message"]["function_call"] = {{"name", "f"}, {"arguments", "{}"}};
  choice["message"]["reasoning"] = "Hm.";
  const auto stream = kDialect.adapt(AnswerForm::kJson, body.dump(), kStreamWithUsageWish);
  ASSERT_TRUE(stream.ok()) << stream.error().message;
  EXPECT_LT((*stream)->find("Hm."), (*stream)->find("Hello"));
  EXPECT_LT((*stream)->find("Hello"), (*stream)->find("function_call"));
  const auto again = kDialect.adapt(AnswerForm::kStream, **stream, kJsonWish);
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(json::parse(**again), body);
}

TEST(OpenAiChatTest, refuses_what_is_no_chat_completion) {
  for (const auto* text : {"", "{}", "[]", "null", R"({"object":"chat.completion"})",
                           R"({"object":"chat.completion","choices":[]})",
                           R"({"object":"list","choices":[{"finish_reason":"stop","message":{}}]})",
                           R"({"object":"chat.completion","choices":[{"finish_reason":"stop"}]})",
                           R"({"object":"chat.completion","choices":[7]})"}) {
    EXPECT_EQ(kDialect.review(AnswerForm::kJson, text).refusal, StoreRefusal::kMalformed) << text;
  }
}

TEST(OpenAiChatTest, refuses_a_body_that_was_cut_anywhere) {
  for (std::size_t size = 0; size < test::kHelloBody.size(); ++size) {
    EXPECT_TRUE(kDialect.review(AnswerForm::kJson, test::kHelloBody.substr(0, size)).refusal);
  }
}

TEST(OpenAiChatTest, refuses_a_stream_that_was_cut_anywhere_before_done) {
  const auto stream = test::hello_stream();
  for (std::size_t size = 0; size < stream.find("[DONE]") + 6; ++size) {
    EXPECT_TRUE(kDialect.review(AnswerForm::kStream, stream.substr(0, size)).refusal) << size;
  }
}

TEST(OpenAiChatTest, knows_no_usage_rather_than_a_wrong_one) {
  for (const auto* usage :
       {R"({"prompt_tokens":-1,"completion_tokens":2,"total_tokens":5})",
        R"({"prompt_tokens":1,"completion_tokens":2})",
        R"({"prompt_tokens":1,"completion_tokens":2,"total_tokens":4294967296})",
        R"({"prompt_tokens":1,"completion_tokens":2,"total_tokens":"5"})", "7"}) {
    auto body = hello();
    body["usage"] = json::parse(usage);
    EXPECT_FALSE(kDialect.review(AnswerForm::kJson, body.dump()).usage) << usage;
  }
}

TEST(OpenAiChatAdaptTest, the_recorded_form_answers_byte_for_byte) {
  EXPECT_FALSE(kDialect.adapt(AnswerForm::kJson, test::kHelloBody, kJsonWish)->has_value());
  EXPECT_FALSE(kDialect.adapt(AnswerForm::kStream, test::hello_stream(), kStreamWish)->has_value());
  EXPECT_FALSE(
      kDialect.adapt(AnswerForm::kStream, test::hello_stream_with_usage(), kStreamWithUsageWish)
          ->has_value());
}

TEST(OpenAiChatAdaptTest, drops_a_usage_chunk_that_was_not_asked_for) {
  const auto adapted =
      kDialect.adapt(AnswerForm::kStream, test::hello_stream_with_usage(), kStreamWish);
  ASSERT_TRUE(adapted.ok());
  EXPECT_EQ(**adapted, test::hello_stream());
}

// Mistral, DeepSeek and OpenRouter say it so, asked or not.
TEST(OpenAiChatAdaptTest, takes_usage_that_stands_in_the_last_chunk_of_choices_for_usage) {
  auto last = json::parse(test::kStopChunk);
  last["usage"] = {{"prompt_tokens", 3}, {"completion_tokens", 2}, {"total_tokens", 5}};
  const auto said = last.dump();
  const auto stream =
      test::sse({test::kRoleChunk, test::kHelloChunk, test::kWorldChunk, said, test::kDone});
  for (const auto wish : {kStreamWish, kStreamWithUsageWish}) {
    const auto adapted = kDialect.adapt(AnswerForm::kStream, stream, wish);
    ASSERT_TRUE(adapted.ok()) << adapted.error().message;
    EXPECT_FALSE(adapted->has_value()) << **adapted;
  }
  const auto body = kDialect.adapt(AnswerForm::kStream, stream, kJsonWish);
  ASSERT_TRUE(body.ok());
  EXPECT_EQ(json::parse(**body)["usage"], last["usage"]);
}

TEST(OpenAiChatAdaptTest, usage_that_an_early_chunk_tells_is_not_that_of_the_answer) {
  auto early = json::parse(test::kHelloChunk);
  early["usage"] = {{"prompt_tokens", 3}, {"completion_tokens", 0}, {"total_tokens", 3}};
  const auto said = early.dump();
  const auto stream =
      test::sse({test::kRoleChunk, said, test::kWorldChunk, test::kStopChunk, test::kDone});
  EXPECT_FALSE(kDialect.adapt(AnswerForm::kStream, stream, kStreamWithUsageWish).ok());
}

TEST(OpenAiChatAdaptTest, cannot_invent_usage) {
  EXPECT_FALSE(
      kDialect.adapt(AnswerForm::kStream, test::hello_stream(), kStreamWithUsageWish).ok());
  auto body = hello();
  body.erase("usage");
  EXPECT_FALSE(kDialect.adapt(AnswerForm::kJson, body.dump(), kStreamWithUsageWish).ok());
}

TEST(OpenAiChatAdaptTest, a_stream_answers_a_request_for_json) {
  const auto adapted =
      kDialect.adapt(AnswerForm::kStream, test::hello_stream_with_usage(), kJsonWish);
  ASSERT_TRUE(adapted.ok());
  EXPECT_EQ(json::parse(**adapted), hello());
}

TEST(OpenAiChatAdaptTest, a_body_answers_a_request_for_a_stream) {
  const auto adapted = kDialect.adapt(AnswerForm::kJson, test::kHelloBody, kStreamWithUsageWish);
  ASSERT_TRUE(adapted.ok());
  const auto review = kDialect.review(AnswerForm::kStream, **adapted);
  EXPECT_FALSE(review.refusal);
  EXPECT_EQ(review.usage, (TokenUsage{3, 2, 5}));
}

TEST(OpenAiChatAdaptTest, strips_padding_where_it_is_not_wanted) {
  const auto padded = test::sse(
      {R"({"id":"c1","choices":[{"index":0,"delta":{"role":"assistant","content":"a"}}],"obfuscation":"xy"})",
       test::kStopChunk, "[DONE]"});
  auto wish =
      kDialect.read_wish(R"({"stream":true,"stream_options":{"include_obfuscation":false}})");
  ASSERT_TRUE(wish.ok());
  EXPECT_TRUE(wish->without_padding);
  const auto adapted = kDialect.adapt(AnswerForm::kStream, padded, *wish);
  ASSERT_TRUE(adapted.ok());
  EXPECT_EQ(
      **adapted,
      test::sse(
          {R"({"id":"c1","choices":[{"index":0,"delta":{"role":"assistant","content":"a"}}]})",
           test::kStopChunk, "[DONE]"}));
  EXPECT_FALSE(kDialect.adapt(AnswerForm::kStream, test::hello_stream(), *wish)->has_value());
}

TEST(OpenAiChatAdaptTest, refuses_to_put_together_what_takes_a_guess) {
  const auto stream = test::sse(
      {R"({"id":"c1","model":"m","choices":[{"index":0,"delta":{"role":"assistant","mood":"a"}}]})",
       R"({"id":"c1","model":"m","choices":[{"index":0,"delta":{"mood":"b"},"finish_reason":"stop"}]})",
       "[DONE]"});
  EXPECT_FALSE(kDialect.review(AnswerForm::kStream, stream).refusal);
  EXPECT_FALSE(kDialect.adapt(AnswerForm::kStream, stream, kJsonWish).ok());
  EXPECT_FALSE(kDialect.adapt(AnswerForm::kStream, stream, kStreamWish)->has_value());
}

TEST(OpenAiChatAdaptTest, refuses_to_split_what_would_not_come_back) {
  auto body = hello();
  body["choices"][0]["index"] = 3;
  EXPECT_FALSE(kDialect.adapt(AnswerForm::kJson, body.dump(), kStreamWish).ok());
  body = hello();
  body["choices"][0]["message"]["tool_calls"] = json::array({7});
  EXPECT_FALSE(kDialect.adapt(AnswerForm::kJson, body.dump(), kStreamWish).ok());
}

TEST(OpenAiChatAdaptTest, refuses_recordings_that_are_no_answers) {
  EXPECT_FALSE(kDialect.adapt(AnswerForm::kJson, "{}", kStreamWish).ok());
  EXPECT_FALSE(kDialect.adapt(AnswerForm::kStream, "data: x\n\n", kJsonWish).ok());
}

TEST(OpenAiChatTest, errors_have_the_shape_that_clients_expect) {
  const auto body = json::parse(kDialect.error_body({504, "upstream_timeout", "Too \"late\"."}));
  EXPECT_EQ(body, json::parse(R"({"error":{"message":"Too \"late\".","type":"upstream_error",
                                  "param":null,"code":"upstream_timeout"}})"));
  EXPECT_EQ(json::parse(kDialect.error_body({400, "x", "\xff"}))["error"]["type"],
            "invalid_request_error");
}

}  // namespace
}  // namespace llm_edge_cache::proxy::openai_chat_test
