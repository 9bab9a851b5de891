#include "proxy/rate_limiter.hpp"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace llm_edge_cache::proxy {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr RateLimiter::TimePoint kStart{std::chrono::hours(1)};
constexpr RateLimit kTwoASecond{.per_1000_s = 2'000, .burst = 3};

TEST(RateLimiterTest, a_burst_passes_and_what_follows_waits_for_its_turn) {
  RateLimiter limiter;
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(limiter.take(kTwoASecond, kStart)) << i;
  EXPECT_EQ(limiter.take(kTwoASecond, kStart), milliseconds(500));
  EXPECT_EQ(limiter.take(kTwoASecond, kStart + milliseconds(200)), milliseconds(300));
  EXPECT_FALSE(limiter.take(kTwoASecond, kStart + milliseconds(500)));
  EXPECT_TRUE(limiter.take(kTwoASecond, kStart + milliseconds(500)));
}

TEST(RateLimiterTest, a_rest_of_any_length_gives_one_burst) {
  RateLimiter limiter;
  EXPECT_FALSE(limiter.take(kTwoASecond, kStart));
  const auto later = kStart + seconds(1'000'000);
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(limiter.take(kTwoASecond, later)) << i;
  EXPECT_TRUE(limiter.take(kTwoASecond, later));
}

TEST(RateLimiterTest, a_refused_request_uses_up_nothing) {
  RateLimiter limiter;
  constexpr RateLimit kOne{.per_1000_s = 1'000, .burst = 1};
  EXPECT_FALSE(limiter.take(kOne, kStart));
  for (int i = 0; i < 100; ++i) EXPECT_EQ(limiter.take(kOne, kStart), seconds(1));
  EXPECT_FALSE(limiter.take(kOne, kStart + seconds(1)));
}

TEST(RateLimiterTest, it_is_at_rest_until_it_is_used_and_when_all_is_whole_again) {
  RateLimiter limiter;
  EXPECT_TRUE(limiter.is_at_rest(kStart));
  EXPECT_FALSE(limiter.take(kTwoASecond, kStart));
  EXPECT_FALSE(limiter.take(kTwoASecond, kStart));
  EXPECT_FALSE(limiter.is_at_rest(kStart + milliseconds(999)));
  EXPECT_TRUE(limiter.is_at_rest(kStart + milliseconds(1'000)));
}

TEST(RateLimitTest, bounds_are_inclusive) {
  EXPECT_TRUE(RateLimit{}.validate().ok());
  EXPECT_TRUE((RateLimit{.per_1000_s = 1'000'000'000, .burst = 1'000'000}.validate().ok()));
  EXPECT_FALSE((RateLimit{.per_1000_s = 1'000'000'001}.validate().ok()));
  EXPECT_FALSE((RateLimit{.burst = 0}.validate().ok()));
  EXPECT_FALSE((RateLimit{.burst = 1'000'001}.validate().ok()));
}

TEST(RateLimiterTest, no_limit_lets_everything_pass) {
  RateLimiter limiter;
  for (int i = 0; i < 1'000; ++i) EXPECT_FALSE(limiter.take({}, kStart));
}

TEST(RateLimiterTest, a_limit_that_was_raised_counts_at_once) {
  RateLimiter limiter;
  EXPECT_FALSE(limiter.take({.per_1000_s = 1, .burst = 1}, kStart));
  EXPECT_LE(limiter.take({.per_1000_s = 1'000, .burst = 1}, kStart), seconds(1));
}

TEST(RateLimiterTest, threads_together_get_no_more_than_the_burst) {
  RateLimiter limiter;
  constexpr RateLimit kHundred{.per_1000_s = 1, .burst = 100};
  std::atomic<int> passed = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < 100; ++j) {
        if (!limiter.take(kHundred, kStart)) ++passed;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(passed, 100);
}

TEST(ConcurrencyLimiterTest, so_many_are_in_and_one_comes_in_when_one_leaves) {
  ConcurrencyLimiter limiter;
  EXPECT_TRUE(limiter.enter(2));
  EXPECT_TRUE(limiter.enter(2));
  EXPECT_FALSE(limiter.enter(2));
  limiter.leave();
  EXPECT_TRUE(limiter.enter(2));
  EXPECT_EQ(limiter.active(), 2U);
}

TEST(ConcurrencyLimiterTest, zero_is_no_limit_and_still_counted) {
  ConcurrencyLimiter limiter;
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(limiter.enter(0));
  EXPECT_EQ(limiter.active(), 100U);
}

}  // namespace
}  // namespace llm_edge_cache::proxy
