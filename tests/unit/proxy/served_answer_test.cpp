#include "proxy/served_answer.hpp"

#include <gtest/gtest.h>

#include <memory>

#include "proxy/dialects/openai_chat.hpp"
#include "tests/unit/proxy/dialects/chat_fixtures.hpp"

namespace llm_edge_cache::proxy::served_answer_test {
namespace {

constexpr UnixMillis kNow = 1'700'000'000'000;
constexpr AnswerWish kJsonWish{AnswerForm::kJson, false};
constexpr AnswerWish kStreamWish{AnswerForm::kStream, false};
const OpenAiChatDialect kDialect;

LookedUp found_json() {
  auto entry = std::make_shared<Entry>();
  entry->response.content = test::kHelloBody;
  entry->response.cached_at_ms = kNow - 20'000;
  entry->content_type = "application/json; charset=utf-8";
  entry->expires_ms = kNow + 1'000;
  entry->stale_until_ms = kNow + 11'000;
  return {LookupOutcome::kL2Hit, std::move(entry)};
}

class MakeServedAnswerTest : public ::testing::Test {
 protected:
  std::optional<ServedAnswer> make(LookedUp found, AnswerWish wish,
                                   const RequestDirectives& directives = {},
                                   UnixMillis now_ms = kNow) {
    return make_served_answer(std::move(found), terms(wish, directives, now_ms));
  }
  std::optional<ServedAnswer> make_fallback(LookedUp found, AnswerWish wish, UnixMillis now_ms) {
    return make_fallback_answer(std::move(found.entry), terms(wish, no_directives_, now_ms));
  }
  ServeTerms terms(AnswerWish wish, const RequestDirectives& directives, UnixMillis now_ms) {
    return {.directives = directives,
            .policy = policy_,
            .wish = wish,
            .dialect = kDialect,
            .adapted = adapted_,
            .now_ms = now_ms};
  }
  const RequestDirectives no_directives_;
  CachePolicy policy_;
  AdaptedAnswers adapted_;
};

TEST_F(MakeServedAnswerTest, shares_the_bytes_of_the_entry_where_they_fit) {
  const auto found = found_json();
  const auto answer = make(found, kJsonWish);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->outcome, LookupOutcome::kL2Hit);
  EXPECT_EQ(answer->body.view().data(), found.entry->response.content.data());
  EXPECT_EQ(answer->content_type, "application/json; charset=utf-8");
}

TEST_F(MakeServedAnswerTest, derives_the_form_that_is_wanted) {
  const auto answer = make(found_json(), kStreamWish);
  ASSERT_TRUE(answer);
  EXPECT_TRUE(answer->body.view().ends_with("data: [DONE]\n\n"));
  EXPECT_EQ(answer->content_type, "text/event-stream; charset=utf-8");
}

TEST_F(MakeServedAnswerTest, derives_a_form_once_and_then_shares_it) {
  const auto found = found_json();
  const auto first = make(found, kStreamWish);
  const auto second = make(found, kStreamWish);
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->body.view().data(), second->body.view().data());
}

TEST_F(MakeServedAnswerTest, is_empty_where_the_request_cannot_have_it) {
  EXPECT_FALSE(make({}, kJsonWish));
  EXPECT_FALSE(make(found_json(), kJsonWish, {.max_age_s = 5}));
  EXPECT_FALSE(make(found_json(), kJsonWish, {}, kNow + 1'000));
}

TEST_F(MakeServedAnswerTest, says_that_what_is_past_its_life_is_stale) {
  policy_.stale_while_revalidate_ms = 5'000;
  const auto answer = make(found_json(), kStreamWish, {}, kNow + 5'999);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->outcome, LookupOutcome::kStale);
  EXPECT_EQ(answer->reason, ServeReason::kStaleWhileRevalidate);
  EXPECT_FALSE(make(found_json(), kStreamWish, {}, kNow + 6'000));
}

TEST_F(MakeServedAnswerTest, a_fallback_has_a_window_of_its_own) {
  policy_.stale_if_error_ms = 10'000;
  const auto answer = make_fallback(found_json(), kStreamWish, kNow + 10'999);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->reason, ServeReason::kStaleIfError);
  EXPECT_EQ(answer->outcome, LookupOutcome::kStale);
  EXPECT_TRUE(answer->body.view().ends_with("data: [DONE]\n\n"));
  EXPECT_FALSE(make_fallback(found_json(), kStreamWish, kNow + 11'000));
  EXPECT_FALSE(make_fallback({}, kStreamWish, kNow));
}

TEST_F(MakeServedAnswerTest, what_was_derived_expires_with_its_entry) {
  const auto found = found_json();
  ASSERT_TRUE(make(found, kStreamWish));
  EXPECT_FALSE(make(found, kStreamWish, {}, kNow + 1'000));
}

TEST_F(MakeServedAnswerTest, is_empty_where_the_entry_is_no_answer_of_this_dialect) {
  auto entry = std::make_shared<Entry>(*found_json().entry);
  entry->content_type = "text/plain";
  EXPECT_FALSE(make({LookupOutcome::kL1Hit, entry}, kJsonWish));
  entry = std::make_shared<Entry>(*found_json().entry);
  entry->response.content = "{}";
  EXPECT_FALSE(make({LookupOutcome::kL1Hit, entry}, kStreamWish));
}

}  // namespace
}  // namespace llm_edge_cache::proxy::served_answer_test
