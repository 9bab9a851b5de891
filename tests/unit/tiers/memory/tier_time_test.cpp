#include "tiers/memory/tier_time.hpp"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace llm_edge_cache {
namespace {

TEST(TierTimeTest, is_the_latest_reading) {
  TierTime time(100);
  EXPECT_EQ(time.now_ms(), 100);
  time.observe(150);
  EXPECT_EQ(time.now_ms(), 150);
}

TEST(TierTimeTest, never_goes_back) {
  TierTime time(100);
  time.observe(99);
  EXPECT_EQ(time.now_ms(), 100);
}

TEST(TierTimeTest, goes_on_from_where_it_was_when_the_clock_was_set_back) {
  constexpr UnixMillis kHour = 3'600'000;
  TierTime time(kHour);
  time.observe(2 * kHour);
  time.observe(kHour);
  EXPECT_EQ(time.now_ms(), 2 * kHour);
  time.observe(kHour + 1);
  EXPECT_EQ(time.now_ms(), 2 * kHour + 1);
  time.observe(0);
  time.observe(5);
  EXPECT_EQ(time.now_ms(), 2 * kHour + 6);
}

TEST(TierTimeTest, engine_reads_it_in_nanoseconds) {
  TierTime time(1'700'000'000'000);
  const EngineTime engine_time(time);
  EXPECT_EQ(engine_time.now_ns(), 1'700'000'000'000'000'000);
  time.observe(1'700'000'000'001);
  EXPECT_EQ(engine_time.now_ns(), 1'700'000'000'001'000'000);
}

TEST(TierTimeTest, latest_of_many_threads_wins) {
  constexpr int kReadings = 1'000;
  TierTime time(0);
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&time, thread] {
      UnixMillis seen = 0;
      for (int i = 0; i < kReadings; ++i) {
        time.observe(4 * i + thread);
        EXPECT_GE(time.now_ms(), seen);
        seen = time.now_ms();
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(time.now_ms(), 4 * (kReadings - 1) + 3);
}

}  // namespace
}  // namespace llm_edge_cache
