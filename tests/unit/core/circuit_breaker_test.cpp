#include "core/circuit_breaker.hpp"

#include <gtest/gtest.h>

namespace llm_edge_cache {
namespace {

using std::chrono::milliseconds;

class CircuitBreakerTest : public ::testing::Test {
 protected:
  void fail_times(int n) {
    for (int i = 0; i < n; ++i) breaker_.record_failure(now_);
  }

  CircuitBreaker::TimePoint now_{std::chrono::hours{1}};
  CircuitBreaker breaker_{{.failures = 3, .open_for = milliseconds{1'000}}};
};

TEST_F(CircuitBreakerTest, opens_after_so_many_failures_in_a_row) {
  fail_times(2);
  EXPECT_EQ(breaker_.state(), BreakerState::kClosed);
  fail_times(1);
  EXPECT_EQ(breaker_.state(), BreakerState::kOpen);
  EXPECT_EQ(breaker_.probe_at(), now_ + milliseconds{1'000});
}

TEST_F(CircuitBreakerTest, forgets_failures_after_a_success) {
  fail_times(2);
  breaker_.record_success();
  fail_times(2);
  EXPECT_EQ(breaker_.state(), BreakerState::kClosed);
}

TEST_F(CircuitBreakerTest, lets_one_probe_through_once_it_was_open_long_enough) {
  fail_times(3);
  EXPECT_FALSE(breaker_.start_probe(now_ + milliseconds{999}));
  EXPECT_TRUE(breaker_.start_probe(now_ + milliseconds{1'000}));
  EXPECT_EQ(breaker_.state(), BreakerState::kHalfOpen);
  EXPECT_FALSE(breaker_.start_probe(now_ + milliseconds{9'000}));
}

TEST_F(CircuitBreakerTest, asks_for_no_probe_while_closed) {
  EXPECT_FALSE(breaker_.start_probe(now_));
}

TEST_F(CircuitBreakerTest, closes_when_the_probe_succeeds) {
  fail_times(3);
  now_ += milliseconds{1'000};
  ASSERT_TRUE(breaker_.start_probe(now_));
  breaker_.record_success();
  EXPECT_EQ(breaker_.state(), BreakerState::kClosed);
  fail_times(2);
  EXPECT_EQ(breaker_.state(), BreakerState::kClosed);
}

TEST_F(CircuitBreakerTest, opens_for_another_period_when_the_probe_fails) {
  fail_times(3);
  now_ += milliseconds{1'000};
  ASSERT_TRUE(breaker_.start_probe(now_));
  fail_times(1);
  EXPECT_EQ(breaker_.state(), BreakerState::kOpen);
  EXPECT_EQ(breaker_.probe_at(), now_ + milliseconds{1'000});
}

TEST_F(CircuitBreakerTest, heeds_no_late_outcome_while_open) {
  fail_times(3);
  const auto probe_at = breaker_.probe_at();
  now_ += milliseconds{500};
  breaker_.record_success();
  fail_times(1);
  EXPECT_EQ(breaker_.state(), BreakerState::kOpen);
  EXPECT_EQ(breaker_.probe_at(), probe_at);
}

}  // namespace
}  // namespace llm_edge_cache
