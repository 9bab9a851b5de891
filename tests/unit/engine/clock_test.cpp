#include "llm_edge_cache/engine/clock.hpp"

#include <gtest/gtest.h>

#include <atomic>

#include "llm_edge_cache/engine/options.hpp"

namespace llm_edge_cache::engine {
namespace {

TEST(CacheClockTest, reads_exactly_while_nobody_publishes) {
  std::atomic<std::int64_t> now{5};
  const CacheClock<ManualClock> clock{ManualClock(now)};
  EXPECT_EQ(clock.read_ns(), 5);
  now = 6;
  EXPECT_EQ(clock.read_ns(), 6);
}

TEST(CacheClockTest, the_published_time_runs_ahead_and_stands_still_between) {
  std::atomic<std::int64_t> now{100};
  CacheClock<ManualClock> clock{ManualClock(now)};
  clock.publish(10);
  EXPECT_EQ(clock.read_ns(), 120);
  now = 119;
  EXPECT_EQ(clock.read_ns(), 120);
  EXPECT_EQ(clock.exact_ns(), 119);
}

TEST(SteadyClockTest, never_goes_back) {
  const SteadyClock clock;
  const std::int64_t first = clock.now_ns();
  EXPECT_GE(clock.now_ns(), first);
}

TEST(CacheOptionsTest, name_the_field_that_makes_no_sense) {
  CacheOptions options;
  options.time_to_idle = std::chrono::nanoseconds(-1);
  try {
    options.validate();
    FAIL() << "accepted";
  } catch (const std::invalid_argument& error) {
    EXPECT_NE(std::string(error.what()).find("time_to_idle"), std::string::npos);
  }
}

}  // namespace
}  // namespace llm_edge_cache::engine
