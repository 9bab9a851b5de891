#include "proxy/retry_plan.hpp"

#include <gtest/gtest.h>

#include <set>

namespace llm_edge_cache::proxy {
namespace {

using std::chrono::milliseconds;

class Gate final : public MemberGate {
 public:
  explicit Gate(std::set<std::size_t> closed = {}) : closed_(std::move(closed)) {}
  bool admits(std::size_t member) override { return !closed_.contains(member); }
  bool is_unreachable(std::size_t member) override { return unreachable.contains(member); }

  std::set<std::size_t> unreachable = {};

 private:
  std::set<std::size_t> closed_;
};

class RetryPlanTest : public ::testing::Test {
 protected:
  RetryPlan plan(std::size_t members, bool is_repeatable = true) {
    return {options_, {.members = members, .is_repeatable = is_repeatable, .seed = 7}};
  }
  static AttemptFailure failure(AttemptEnd end) { return {.end = end}; }
  static AttemptFailure told(AttemptEnd end, std::int64_t ms) {
    return {.end = end, .retry_after = milliseconds(ms)};
  }

  RetryOptions options_{.max_retries = 2,
                        .deadline_ms = 10'000,
                        .max_wait_ms = 1'000,
                        .min_backoff_ms = 10,
                        .max_backoff_ms = 40};
  Gate all_;
  RetryPlan::TimePoint now_{};
};

TEST_F(RetryPlanTest, begins_with_the_first_member_that_is_admitted) {
  Gate gate({0, 1});
  EXPECT_EQ(plan(3).first(gate, now_), (RetryPlan::Attempt{2, milliseconds(0)}));
}

TEST_F(RetryPlanTest, begins_with_the_first_member_where_none_is_admitted) {
  Gate gate({0, 1});
  EXPECT_EQ(plan(2).first(gate, now_), (RetryPlan::Attempt{0, milliseconds(0)}));
}

TEST_F(RetryPlanTest, begins_with_nobody_where_all_are_passed_over_and_none_is_reachable) {
  Gate gate({0, 1});
  gate.unreachable = {0};
  EXPECT_EQ(plan(2).first(gate, now_), (RetryPlan::Attempt{1, milliseconds(0)}));
  gate.unreachable = {0, 1};
  EXPECT_EQ(plan(2).first(gate, now_), std::nullopt);
}

TEST_F(RetryPlanTest, a_member_that_cannot_be_reached_in_time_is_not_tried_again) {
  auto plan = this->plan(2, /*is_repeatable=*/false);
  (void)plan.first(all_, now_);
  EXPECT_EQ(plan.after(failure(AttemptEnd::kUnreachable), all_, now_),
            (RetryPlan::Attempt{1, milliseconds(0)}));
  EXPECT_EQ(plan.after(failure(AttemptEnd::kUnreachable), all_, now_), std::nullopt);
}

TEST_F(RetryPlanTest, goes_to_the_next_member_at_once_after_each_kind_of_failure) {
  for (const auto end : {AttemptEnd::kNoConnection, AttemptEnd::kNoAnswer, AttemptEnd::kBusy,
                         AttemptEnd::kRateLimited, AttemptEnd::kServerError}) {
    auto plan = this->plan(2);
    (void)plan.first(all_, now_);
    EXPECT_EQ(plan.after(failure(end), all_, now_), (RetryPlan::Attempt{1, milliseconds(0)}));
  }
}

TEST_F(RetryPlanTest, a_busy_member_is_left_for_the_next_even_if_it_says_when) {
  auto plan = this->plan(2);
  (void)plan.first(all_, now_);
  EXPECT_EQ(plan.after(told(AttemptEnd::kBusy, 100), all_, now_),
            (RetryPlan::Attempt{1, milliseconds(0)}));
}

TEST_F(RetryPlanTest, a_rate_limit_is_waited_for_before_the_next_member_is_asked) {
  auto plan = this->plan(2);
  (void)plan.first(all_, now_);
  for (std::uint32_t retry = 0; retry < options_.max_retries; ++retry) {
    const auto again = plan.after(told(AttemptEnd::kRateLimited, 100), all_, now_);
    ASSERT_TRUE(again.has_value());
    EXPECT_EQ(again->member, 0U);
    EXPECT_GE(again->delay, milliseconds(110));
    EXPECT_LE(again->delay, milliseconds(140));
  }
  EXPECT_EQ(plan.after(told(AttemptEnd::kRateLimited, 100), all_, now_),
            (RetryPlan::Attempt{1, milliseconds(0)}));
}

TEST_F(RetryPlanTest, a_lonely_busy_member_is_asked_again_when_it_says_so_often_and_no_more) {
  auto plan = this->plan(1);
  (void)plan.first(all_, now_);
  EXPECT_TRUE(plan.after(told(AttemptEnd::kBusy, 0), all_, now_).has_value());
  EXPECT_TRUE(plan.after(told(AttemptEnd::kBusy, 0), all_, now_).has_value());
  EXPECT_FALSE(plan.after(told(AttemptEnd::kBusy, 0), all_, now_).has_value());
}

TEST_F(RetryPlanTest, a_lonely_member_that_does_not_say_when_is_not_asked_again) {
  for (const auto end : {AttemptEnd::kBusy, AttemptEnd::kRateLimited, AttemptEnd::kServerError,
                         AttemptEnd::kNoAnswer}) {
    auto plan = this->plan(1);
    (void)plan.first(all_, now_);
    EXPECT_FALSE(plan.after(failure(end), all_, now_).has_value());
  }
}

TEST_F(RetryPlanTest, a_call_that_may_have_been_paid_for_is_not_made_again_at_the_same_member) {
  for (const auto end : {AttemptEnd::kServerError, AttemptEnd::kNoAnswer}) {
    auto plan = this->plan(1);
    (void)plan.first(all_, now_);
    EXPECT_FALSE(plan.after(told(end, 0), all_, now_).has_value());
  }
}

TEST_F(RetryPlanTest, what_the_provider_may_have_acted_on_is_not_sent_to_anybody_else) {
  for (const auto end : {AttemptEnd::kServerError, AttemptEnd::kNoAnswer}) {
    auto plan = this->plan(2, /*is_repeatable=*/false);
    (void)plan.first(all_, now_);
    EXPECT_FALSE(plan.after(failure(end), all_, now_).has_value());
  }
  for (const auto end : {AttemptEnd::kNoConnection, AttemptEnd::kBusy, AttemptEnd::kRateLimited}) {
    auto plan = this->plan(2, /*is_repeatable=*/false);
    (void)plan.first(all_, now_);
    EXPECT_TRUE(plan.after(failure(end), all_, now_).has_value());
  }
}

TEST_F(RetryPlanTest, a_longer_wait_than_allowed_is_none) {
  auto plan = this->plan(1);
  (void)plan.first(all_, now_);
  EXPECT_FALSE(plan.after(told(AttemptEnd::kRateLimited, 1'001), all_, now_).has_value());
}

TEST_F(RetryPlanTest, no_connection_is_tried_again_after_a_backoff_that_grows_and_is_bounded) {
  options_.max_retries = 16;
  auto plan = this->plan(1);
  (void)plan.first(all_, now_);
  for (int retry = 0; retry < 16; ++retry) {
    const auto again = plan.after(failure(AttemptEnd::kNoConnection), all_, now_);
    ASSERT_TRUE(again.has_value());
    EXPECT_GE(again->delay, milliseconds(10));
    EXPECT_LE(again->delay, milliseconds(40));
  }
  EXPECT_FALSE(plan.after(failure(AttemptEnd::kNoConnection), all_, now_).has_value());
}

TEST_F(RetryPlanTest, requests_that_fail_together_do_not_come_back_together) {
  std::set<milliseconds> delays;
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    RetryPlan plan(options_, {.members = 1, .seed = seed});
    (void)plan.first(all_, now_);
    delays.insert(plan.after(failure(AttemptEnd::kNoConnection), all_, now_)->delay);
  }
  EXPECT_GT(delays.size(), 5U);
}

TEST_F(RetryPlanTest, no_attempt_begins_after_the_deadline) {
  auto plan = this->plan(3);
  (void)plan.first(all_, now_);
  now_ += milliseconds(10'000);
  EXPECT_TRUE(plan.after(failure(AttemptEnd::kNoAnswer), all_, now_).has_value());
  now_ += milliseconds(1);
  EXPECT_FALSE(plan.after(failure(AttemptEnd::kNoAnswer), all_, now_).has_value());
}

TEST_F(RetryPlanTest, a_wait_that_would_end_after_the_deadline_does_not_begin) {
  auto plan = this->plan(1);
  (void)plan.first(all_, now_);
  now_ += milliseconds(9'950);
  EXPECT_FALSE(plan.after(told(AttemptEnd::kRateLimited, 100), all_, now_).has_value());
}

TEST_F(RetryPlanTest, a_member_that_is_passed_over_is_no_last_resort) {
  Gate gate({1});
  auto plan = this->plan(2);
  (void)plan.first(gate, now_);
  EXPECT_FALSE(plan.after(failure(AttemptEnd::kServerError), gate, now_).has_value());
}

TEST_F(RetryPlanTest, attempts_are_bounded_by_members_and_retries) {
  auto plan = this->plan(3);
  (void)plan.first(all_, now_);
  int attempts = 1;
  while (plan.after(told(AttemptEnd::kRateLimited, 0), all_, now_)) ++attempts;
  EXPECT_EQ(attempts, 3 * (1 + 2));
}

}  // namespace
}  // namespace llm_edge_cache::proxy
