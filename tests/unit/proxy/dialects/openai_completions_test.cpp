#include "proxy/dialects/openai_completions.hpp"

#include <gtest/gtest.h>

#include <string>

#include "proxy/dialects/answer_json.hpp"
#include "tests/unit/proxy/dialects/chat_fixtures.hpp"

namespace llm_edge_cache::proxy::openai_completions_test {
namespace {

using test::sse;

const OpenAiCompletionsDialect kDialect;
constexpr AnswerWish kJsonWish = {};
constexpr AnswerWish kStreamWish = {.form = AnswerForm::kStream};
constexpr AnswerWish kStreamWithUsageWish = {.form = AnswerForm::kStream, .include_usage = true};

std::string body_with(std::string_view choice) {
  return R"({"id":"c","object":"text_completion","created":1,"model":"m","choices":[)" +
         std::string(choice) + "]}";
}
std::optional<StoreRefusal> refusal_of(const std::string& body) {
  return kDialect.review(AnswerForm::kJson, body).refusal;
}
constexpr std::string_view kEnd =
    R"({"id":"c","object":"text_completion","model":"m","choices":[{"text":"a","index":0,"finish_reason":"stop"}]})";

TEST(OpenAiCompletionsTest, matches_completions_alone) {
  EXPECT_TRUE(kDialect.matches("POST", "/v1/completions"));
  EXPECT_FALSE(kDialect.matches("POST", "/v1/chat/completions"));
  EXPECT_FALSE(kDialect.matches("PUT", "/v1/completions"));
}

TEST(OpenAiCompletionsTest, judges_as_a_chat_is_judged) {
  EXPECT_FALSE(refusal_of(body_with(R"({"text":"a","index":0,"finish_reason":"stop"})")));
  EXPECT_EQ(refusal_of(body_with(R"({"text":"a","index":0,"finish_reason":"length"})")),
            StoreRefusal::kFinishReason);
  EXPECT_EQ(refusal_of(body_with(R"({"text":"a","index":0,"finish_reason":null})")),
            StoreRefusal::kUnfinished);
  EXPECT_EQ(refusal_of(body_with(R"({"index":0,"finish_reason":"stop"})")),
            StoreRefusal::kMalformed);
  EXPECT_EQ(refusal_of(body_with("")), StoreRefusal::kMalformed);
  EXPECT_EQ(refusal_of(R"({"error":{"message":"m"}})"), StoreRefusal::kErrorInAnswer);
}

TEST(OpenAiCompletionsTest, refuses_streams_that_did_not_end_well) {
  const auto review = [](const std::string& stream) {
    return kDialect.review(AnswerForm::kStream, stream).refusal;
  };
  EXPECT_FALSE(review(sse({kEnd, "[DONE]"})));
  EXPECT_EQ(review(sse({kEnd})), StoreRefusal::kUnfinished);
  EXPECT_EQ(review(sse({R"({"choices":[{"text":7,"index":0}]})", "[DONE]"})),
            StoreRefusal::kMalformed);
  EXPECT_EQ(review(sse({R"({"choices":[{"text":"a"}]})", "[DONE]"})), StoreRefusal::kMalformed);
}

TEST(OpenAiCompletionsTest, cannot_invent_usage) {
  const auto body = body_with(R"({"text":"a","index":0,"logprobs":null,"finish_reason":"stop"})");
  EXPECT_TRUE(kDialect.adapt(AnswerForm::kJson, body, kStreamWish).ok());
  EXPECT_FALSE(kDialect.adapt(AnswerForm::kJson, body, kStreamWithUsageWish).ok());
  EXPECT_FALSE(
      kDialect.adapt(AnswerForm::kStream, sse({kEnd, "[DONE]"}), kStreamWithUsageWish).ok());
}

TEST(OpenAiCompletionsTest, what_changes_between_chunks_is_not_put_together) {
  const auto* const other =
      R"({"id":"other","object":"text_completion","model":"m","choices":[{"text":"b","index":0}]})";
  const auto stream = sse({other, kEnd, "[DONE]"});
  EXPECT_FALSE(kDialect.review(AnswerForm::kStream, stream).refusal);
  EXPECT_FALSE(kDialect.adapt(AnswerForm::kStream, stream, kJsonWish).ok());
}

TEST(OpenAiCompletionsTest, errors_are_openais) {
  EXPECT_TRUE(Json::parse(kDialect.error_body({502, "c", "m"}))["error"].contains("param"));
}

}  // namespace
}  // namespace llm_edge_cache::proxy::openai_completions_test
