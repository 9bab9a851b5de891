#include "proxy/cache_decision.hpp"

#include <gtest/gtest.h>

namespace llm_edge_cache::proxy {
namespace {

constexpr UnixMillis kNow = 1'700'000'000'000;

Entry entry_aged(std::int64_t age_ms, std::int64_t left_ms) {
  Entry entry;
  entry.content_type = "application/json";
  entry.response.cached_at_ms = kNow - age_ms;
  entry.expires_ms = kNow + left_ms;
  return entry;
}

http::ResponseHead head_with(std::uint16_t status, const http::Headers& headers) {
  http::ResponseHead head;
  head.status = status;
  head.headers = headers;
  return head;
}

TEST(PlanRequestTest, by_default_everything_may_be_done) {
  EXPECT_EQ(plan_request({}), RequestPlan());
}

TEST(PlanRequestTest, no_store_touches_no_cache_and_shares_nothing) {
  const auto plan = plan_request({.no_store = true});
  EXPECT_FALSE(plan.may_look_up);
  EXPECT_FALSE(plan.may_share_flight);
  EXPECT_FALSE(plan.may_store);
  EXPECT_TRUE(plan.may_call_upstream);
  EXPECT_EQ(plan.forward_reason, ForwardReason::kRequest);
}

TEST(PlanRequestTest, no_cache_asks_anew_and_replaces_what_is_stored) {
  const auto plan = plan_request({.no_cache = true});
  EXPECT_FALSE(plan.may_look_up);
  EXPECT_FALSE(plan.may_share_flight);
  EXPECT_TRUE(plan.may_store);
}

TEST(PlanRequestTest, only_if_cached_makes_no_call) {
  const auto plan = plan_request({.only_if_cached = true});
  EXPECT_TRUE(plan.may_look_up);
  EXPECT_FALSE(plan.may_call_upstream);
  EXPECT_FALSE(plan.may_share_flight);
}

TEST(PlanRequestTest, a_life_of_zero_is_looked_up_but_not_stored) {
  const auto plan = plan_request({.ttl_ms = 0U});
  EXPECT_TRUE(plan.may_look_up);
  EXPECT_FALSE(plan.may_store);
  EXPECT_FALSE(plan.may_share_flight);
}

TEST(FormOfTest, knows_both_forms_with_parameters_and_in_any_case) {
  EXPECT_EQ(form_of("application/json"), AnswerForm::kJson);
  EXPECT_EQ(form_of("Application/JSON ; charset=utf-8"), AnswerForm::kJson);
  EXPECT_EQ(form_of("text/event-stream;charset=utf-8"), AnswerForm::kStream);
  EXPECT_EQ(form_of("text/html"), std::nullopt);
  EXPECT_EQ(form_of("application/json-seq"), std::nullopt);
  EXPECT_EQ(form_of(""), std::nullopt);
}

TEST(IsAcceptableTest, fresh_answers_are_until_they_expire) {
  EXPECT_TRUE(is_acceptable(entry_aged(0, 1), {}, kNow));
  EXPECT_FALSE(is_acceptable(entry_aged(0, 0), {}, kNow));
}

TEST(IsAcceptableTest, max_age_bounds_the_age_in_whole_seconds) {
  EXPECT_TRUE(is_acceptable(entry_aged(10'999, 1'000), {.max_age_s = 10}, kNow));
  EXPECT_FALSE(is_acceptable(entry_aged(11'000, 1'000), {.max_age_s = 10}, kNow));
  EXPECT_TRUE(is_acceptable(entry_aged(999, 1'000), {.max_age_s = 0}, kNow));
}

TEST(IsAcceptableTest, only_successes_are) {
  auto entry = entry_aged(0, 1'000);
  entry.status = 500;
  EXPECT_FALSE(is_acceptable(entry, {}, kNow));
}

TEST(AgeTest, is_never_negative_though_clocks_differ) {
  EXPECT_EQ(age_s(entry_aged(-5'000, 0), kNow), 0);
  EXPECT_EQ(age_s(entry_aged(61'500, 0), kNow), 61);
  EXPECT_EQ(remaining_ttl_s(entry_aged(0, -1), kNow), 0);
  EXPECT_EQ(remaining_ttl_s(entry_aged(0, 251'900), kNow), 251);
}

TEST(JudgeHeadTest, takes_status_200_in_the_form_that_was_asked_for) {
  EXPECT_EQ(judge_head(head_with(200, {{"Content-Type", "application/json"}}), AnswerForm::kJson),
            std::nullopt);
  EXPECT_EQ(
      judge_head(head_with(200, {{"content-type", "text/event-stream"}}), AnswerForm::kStream),
      std::nullopt);
}

TEST(JudgeHeadTest, refuses_every_other_status) {
  for (const std::uint16_t status :
       std::initializer_list<std::uint16_t>{201, 204, 206, 301, 304, 400, 429, 500, 503}) {
    EXPECT_EQ(
        judge_head(head_with(status, {{"content-type", "application/json"}}), AnswerForm::kJson),
        StoreRefusal::kStatus);
  }
}

TEST(JudgeHeadTest, refuses_the_other_form_and_no_form) {
  EXPECT_EQ(judge_head(head_with(200, {{"content-type", "application/json"}}), AnswerForm::kStream),
            StoreRefusal::kContentType);
  EXPECT_EQ(judge_head(head_with(200, {}), AnswerForm::kJson), StoreRefusal::kContentType);
}

TEST(JudgeHeadTest, refuses_bytes_that_are_not_plain) {
  for (const auto* encoding : {"gzip", "identity, gzip"}) {
    EXPECT_EQ(judge_head(head_with(200, {{"content-type", "application/json"},
                                         {"content-encoding", encoding}}),
                         AnswerForm::kJson),
              StoreRefusal::kEncoding);
  }
  EXPECT_EQ(judge_head(head_with(200, {{"content-type", "application/json"},
                                       {"content-encoding", "identity"},
                                       {"content-encoding", "gzip"}}),
                       AnswerForm::kJson),
            StoreRefusal::kEncoding);
  EXPECT_EQ(judge_head(head_with(200, {{"content-type", "application/json"},
                                       {"content-encoding", "Identity"}}),
                       AnswerForm::kJson),
            std::nullopt);
}

TEST(TtlForTest, a_request_can_shorten_a_life_but_not_lengthen_it) {
  EXPECT_EQ(ttl_for({}, 1'000), 1'000U);
  EXPECT_EQ(ttl_for({.ttl_ms = 10U}, 1'000), 10U);
  EXPECT_EQ(ttl_for({.ttl_ms = 10'000U}, 1'000), 1'000U);
}

TEST(MakeEntryTest, holds_the_answer_its_origin_and_its_end) {
  AnswerToStore answer;
  answer.content = "body";
  answer.content_type = "application/json";
  answer.review.model = "m";
  answer.review.usage = TokenUsage{1, 2, 3};
  answer.review.finish_reason = "stop";
  answer.ttl_ms = 5'000;
  answer.tags = {"t"};
  const auto entry = make_entry(std::move(answer), kNow);
  EXPECT_EQ(entry->response.content, "body");
  EXPECT_EQ(entry->response.model, "m");
  EXPECT_EQ(entry->response.tokens, (TokenUsage{1, 2, 3}));
  EXPECT_EQ(entry->response.cached_at_ms, kNow);
  EXPECT_EQ(entry->content_type, "application/json");
  EXPECT_EQ(entry->finish_reason, "stop");
  EXPECT_EQ(entry->expires_ms, kNow + 5'000);
  EXPECT_EQ(entry->tags, std::vector<std::string>{"t"});
}

}  // namespace
}  // namespace llm_edge_cache::proxy
