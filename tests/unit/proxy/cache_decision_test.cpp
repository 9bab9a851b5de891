#include "proxy/cache_decision.hpp"

#include <gtest/gtest.h>

#include <string>

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
  EXPECT_EQ(plan_request({}, {}), RequestPlan());
}

TEST(PlanRequestTest, no_store_touches_no_cache_and_shares_nothing) {
  const auto plan = plan_request({.no_store = true}, {});
  EXPECT_FALSE(plan.may_look_up);
  EXPECT_FALSE(plan.may_share_flight);
  EXPECT_FALSE(plan.may_store);
  EXPECT_TRUE(plan.may_call_upstream);
  EXPECT_EQ(plan.forward_reason, ForwardReason::kRequest);
}

TEST(PlanRequestTest, no_cache_asks_anew_and_replaces_what_is_stored) {
  const auto plan = plan_request({.no_cache = true}, {});
  EXPECT_FALSE(plan.may_look_up);
  EXPECT_FALSE(plan.may_share_flight);
  EXPECT_TRUE(plan.may_store);
}

TEST(PlanRequestTest, only_if_cached_makes_no_call) {
  const auto plan = plan_request({.only_if_cached = true}, {});
  EXPECT_TRUE(plan.may_look_up);
  EXPECT_FALSE(plan.may_call_upstream);
  EXPECT_FALSE(plan.may_share_flight);
}

TEST(PlanRequestTest, a_life_of_zero_is_looked_up_but_not_stored) {
  const auto plan = plan_request({.ttl_ms = 0U}, {});
  EXPECT_TRUE(plan.may_look_up);
  EXPECT_FALSE(plan.may_store);
  EXPECT_FALSE(plan.may_share_flight);
}

TEST(PlanRequestTest, what_a_rule_never_caches_passes_as_if_there_were_no_cache) {
  const auto plan = plan_request({}, {.is_cached = false});
  EXPECT_FALSE(plan.may_look_up);
  EXPECT_FALSE(plan.may_share_flight);
  EXPECT_FALSE(plan.may_store);
  EXPECT_TRUE(plan.may_call_upstream);
  EXPECT_EQ(plan.forward_reason, ForwardReason::kBypass);
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
  EXPECT_EQ(remaining_ttl_s(entry_aged(0, 0), kNow), 0);
  EXPECT_EQ(remaining_ttl_s(entry_aged(0, -1), kNow), -1);
  EXPECT_EQ(remaining_ttl_s(entry_aged(0, -30'000), kNow), -30);
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

KeyDigest key_of(std::uint8_t first_byte) {
  KeyDigest key;
  key.bytes.fill(0);
  key.bytes[0] = first_byte;
  return key;
}

TEST(LifetimesTest, a_request_can_shorten_a_life_and_lengthen_it_up_to_the_most_allowed) {
  const CachePolicy policy{.ttl_ms = 1'000, .max_ttl_ms = 5'000};
  EXPECT_EQ(lifetimes_for({}, policy, {}).ttl_ms, 1'000U);
  EXPECT_EQ(lifetimes_for({.ttl_ms = 10U}, policy, {}).ttl_ms, 10U);
  EXPECT_EQ(lifetimes_for({.ttl_ms = 0U}, policy, {}).ttl_ms, 0U);
  EXPECT_EQ(lifetimes_for({.ttl_ms = 4'000U}, policy, {}).ttl_ms, 4'000U);
  EXPECT_EQ(lifetimes_for({.ttl_ms = 10'000U}, policy, {}).ttl_ms, 5'000U);
}

TEST(LifetimesTest, an_answer_is_kept_for_the_longer_of_the_two_windows) {
  EXPECT_EQ(lifetimes_for({}, {}, {}).stale_ms, 0U);
  const CachePolicy policy{.stale_while_revalidate_ms = 7, .stale_if_error_ms = 9};
  EXPECT_EQ(lifetimes_for({}, policy, {}).stale_ms, 9U);
}

TEST(LifetimesTest, jitter_shortens_by_the_key_and_by_nothing_else) {
  const CachePolicy policy{.ttl_ms = 1'000'000, .max_ttl_ms = 1'000'000, .ttl_jitter_percent = 20};
  EXPECT_EQ(lifetimes_for({}, policy, key_of(0)).ttl_ms, 1'000'000U);
  EXPECT_EQ(lifetimes_for({}, policy, key_of(0x80)).ttl_ms, 900'000U);
  EXPECT_EQ(lifetimes_for({}, policy, key_of(0xFF)).ttl_ms, 800'782U);
  EXPECT_EQ(lifetimes_for({}, policy, key_of(0x80)), lifetimes_for({}, policy, key_of(0x80)));
}

TEST(LifetimesTest, a_tenants_cap_bounds_the_life_and_the_windows_after_it_together) {
  const CachePolicy policy{.ttl_ms = 1'000, .max_ttl_ms = 5'000, .stale_if_error_ms = 9'000};
  EXPECT_EQ(lifetimes_for({.max_ttl_ms = 600U}, policy, {}),
            (Lifetimes{.ttl_ms = 600, .stale_ms = 0}));
  EXPECT_EQ(lifetimes_for({.max_ttl_ms = 3'000U}, policy, {}),
            (Lifetimes{.ttl_ms = 1'000, .stale_ms = 2'000}));
  EXPECT_EQ(lifetimes_for({.max_ttl_ms = 60'000U}, policy, {}),
            (Lifetimes{.ttl_ms = 1'000, .stale_ms = 9'000}));
}

TEST(LifetimesTest, what_jitter_takes_from_a_life_that_a_tenant_caps_is_left_for_the_windows) {
  const CachePolicy policy{.ttl_ms = 1'000'000,
                           .max_ttl_ms = 1'000'000,
                           .stale_if_error_ms = 1'000'000,
                           .ttl_jitter_percent = 20};
  EXPECT_EQ(lifetimes_for({.max_ttl_ms = 1'000'000U}, policy, key_of(0x80)),
            (Lifetimes{.ttl_ms = 900'000, .stale_ms = 100'000}));
}

// What a request is given of an entry that was stored `age_s` ago to live for 60 s, under windows
// of 30 s at once and 300 s after a failure; it is kept for all of these 360 s.
struct ServeCase {
  const char* name;
  std::int64_t age_s;
  RequestDirectives directives;
  std::optional<ServeReason> reason;
  bool serves_after_failure;
};

class ServeTableTest : public ::testing::TestWithParam<ServeCase> {
 protected:
  static constexpr CachePolicy kPolicy = {.ttl_ms = 60'000,
                                          .max_ttl_ms = 60'000,
                                          .stale_while_revalidate_ms = 30'000,
                                          .stale_if_error_ms = 300'000};
};

TEST_P(ServeTableTest, gives_what_the_directives_and_the_windows_allow) {
  const auto& at = GetParam();
  auto entry = entry_aged(at.age_s * 1'000, 60'000 - at.age_s * 1'000);
  entry.stale_until_ms = entry.expires_ms + 300'000;
  EXPECT_EQ(reason_to_serve(entry, at.directives, kPolicy, kNow), at.reason);
  EXPECT_EQ(may_serve_after_failure(entry, at.directives, kPolicy, kNow), at.serves_after_failure);
}

constexpr auto kFresh = ServeReason::kFresh;
constexpr auto kRefresh = ServeReason::kStaleWhileRevalidate;
constexpr auto kMaxStale = ServeReason::kMaxStale;
constexpr auto kNothing = std::optional<ServeReason>();

INSTANTIATE_TEST_SUITE_P(
    Table, ServeTableTest,
    ::testing::Values(
        ServeCase{"fresh", 59, {}, kFresh, true}, ServeCase{"just_stale", 60, {}, kRefresh, true},
        ServeCase{"end_of_first_window", 89, {}, kRefresh, true},
        ServeCase{"past_first_window", 90, {}, kNothing, true},
        ServeCase{"end_of_second_window", 359, {}, kNothing, true},
        ServeCase{"past_second_window", 360, {}, kNothing, false},

        ServeCase{"max_age_met", 10, {.max_age_s = 10}, kFresh, false},
        ServeCase{"max_age_exceeded", 11, {.max_age_s = 10}, kNothing, false},
        ServeCase{"max_age_0_now", 0, {.max_age_s = 0}, kFresh, false},
        ServeCase{"max_age_0", 1, {.max_age_s = 0}, kNothing, false},
        ServeCase{"max_age_wants_nothing_stale", 61, {.max_age_s = 100}, kNothing, false},
        ServeCase{
            "max_age_with_max_stale", 61, {.max_age_s = 100, .max_stale_s = 10}, kRefresh, false},
        ServeCase{
            "max_age_bounds_max_stale", 70, {.max_age_s = 65, .max_stale_s = 100}, kNothing, false},

        ServeCase{"min_fresh_met", 50, {.min_fresh_s = 9}, kFresh, false},
        ServeCase{"min_fresh_missed", 55, {.min_fresh_s = 9}, kNothing, false},
        ServeCase{"min_fresh_wants_nothing_stale", 61, {.min_fresh_s = 0}, kNothing, false},

        ServeCase{"max_stale_within_window", 70, {.max_stale_s = 20}, kRefresh, true},
        ServeCase{"max_stale_beyond_window", 120, {.max_stale_s = 60}, kMaxStale, true},
        ServeCase{"max_stale_exceeded", 121, {.max_stale_s = 60}, kNothing, false},
        ServeCase{"max_stale_0_forbids_the_window", 61, {.max_stale_s = 0}, kNothing, false},
        ServeCase{"max_stale_without_a_number",
                  359,
                  {.max_stale_s = kMaxDirectiveSeconds},
                  kMaxStale,
                  true},
        ServeCase{"max_stale_beyond_what_is_kept",
                  360,
                  {.max_stale_s = kMaxDirectiveSeconds},
                  kNothing,
                  false},

        ServeCase{"stale_if_error_shortens", 71, {.stale_if_error_s = 10}, kRefresh, false},
        ServeCase{"stale_if_error_met", 70, {.stale_if_error_s = 10}, kRefresh, true},
        ServeCase{"stale_if_error_0", 61, {.stale_if_error_s = 0}, kRefresh, false},
        ServeCase{"stale_if_error_cannot_lengthen_what_is_kept",
                  360,
                  {.stale_if_error_s = 1'000},
                  kNothing,
                  false},
        ServeCase{"stale_if_error_counts_from_max_age",
                  30,
                  {.max_age_s = 10, .stale_if_error_s = 20},
                  kNothing,
                  true},
        ServeCase{"stale_if_error_ends_after_max_age",
                  32,
                  {.max_age_s = 10, .stale_if_error_s = 20},
                  kNothing,
                  false},
        ServeCase{"stale_if_error_counts_from_min_fresh",
                  55,
                  {.min_fresh_s = 30, .stale_if_error_s = 25},
                  kNothing,
                  true},

        ServeCase{"tenants_cap_met", 39, {.max_ttl_ms = 40'000U}, kFresh, true},
        ServeCase{"tenants_cap_ends_a_life", 40, {.max_ttl_ms = 40'000U}, kNothing, false},
        ServeCase{
            "tenants_cap_within_the_first_window", 69, {.max_ttl_ms = 70'000U}, kRefresh, true},
        ServeCase{
            "tenants_cap_ends_the_first_window", 70, {.max_ttl_ms = 70'000U}, kNothing, false},
        ServeCase{"tenants_cap_ends_max_stale",
                  100,
                  {.max_stale_s = 300, .max_ttl_ms = 100'000U},
                  kNothing,
                  false},
        ServeCase{"tenants_cap_ends_stale_if_error",
                  100,
                  {.stale_if_error_s = 300, .max_ttl_ms = 100'000U},
                  kNothing,
                  false}),
    [](const auto& at) { return std::string(at.param.name); });

TEST(ServeTest, without_windows_an_answer_ends_with_its_life) {
  const auto entry = entry_aged(60'000, 0);
  EXPECT_EQ(reason_to_serve(entry, {}, {}, kNow), std::nullopt);
  EXPECT_FALSE(may_serve_after_failure(entry, {}, {}, kNow));
}

TEST(ServeTest, only_successes_are_served) {
  auto entry = entry_aged(0, 1'000);
  entry.status = 500;
  EXPECT_EQ(reason_to_serve(entry, {}, {}, kNow), std::nullopt);
  EXPECT_FALSE(may_serve_after_failure(entry, {}, {}, kNow));
}

TEST(ProviderFailureTest, is_what_may_be_otherwise_another_time) {
  for (const std::uint16_t status :
       std::initializer_list<std::uint16_t>{500, 502, 503, 504, 529, 429}) {
    EXPECT_TRUE(is_provider_failure(status)) << status;
  }
  for (const std::uint16_t status :
       std::initializer_list<std::uint16_t>{200, 301, 400, 401, 403, 404, 408, 413, 422}) {
    EXPECT_FALSE(is_provider_failure(status)) << status;
  }
}

TEST(ReasonToForwardTest, says_what_was_wrong_with_what_was_found) {
  EXPECT_EQ(reason_to_forward(nullptr, kNow), ForwardReason::kMiss);
  const auto fresh = entry_aged(0, 1);
  EXPECT_EQ(reason_to_forward(&fresh, kNow), ForwardReason::kRequest);
  const auto stale = entry_aged(0, 0);
  EXPECT_EQ(reason_to_forward(&stale, kNow), ForwardReason::kStale);
}

TEST(MakeEntryTest, holds_the_answer_its_origin_and_its_end) {
  AnswerToStore answer;
  answer.content = "body";
  answer.content_type = "application/json";
  answer.review.model = "m";
  answer.review.usage = TokenUsage{1, 2, 3};
  answer.review.finish_reason = "stop";
  answer.life = {5'000, 7'000};
  answer.tags = {"t"};
  const auto entry = make_entry(std::move(answer), kNow);
  EXPECT_EQ(entry->response.content, "body");
  EXPECT_EQ(entry->response.model, "m");
  EXPECT_EQ(entry->response.tokens, (TokenUsage{1, 2, 3}));
  EXPECT_EQ(entry->response.cached_at_ms, kNow);
  EXPECT_EQ(entry->content_type, "application/json");
  EXPECT_EQ(entry->finish_reason, "stop");
  EXPECT_EQ(entry->expires_ms, kNow + 5'000);
  EXPECT_EQ(entry->stale_until_ms, kNow + 12'000);
  EXPECT_EQ(entry->tags, std::vector<std::string>{"t"});
}

}  // namespace
}  // namespace llm_edge_cache::proxy
