#include "core/lookup_stats.hpp"

#include <gtest/gtest.h>

#include <latch>
#include <thread>
#include <vector>

namespace llm_edge_cache {
namespace {

using std::chrono::nanoseconds;

TEST(LookupStatsTest, starts_at_zero) {
  const LookupStats stats;
  const auto totals = stats.totals();
  EXPECT_EQ(totals.hits + totals.misses + totals.stale + totals.latency.count, 0U);
}

TEST(LookupStatsTest, tells_answers_apart) {
  LookupStats stats;
  stats.record(TierAnswer::kHit, nanoseconds(1));
  stats.record(TierAnswer::kHit, nanoseconds(1));
  stats.record(TierAnswer::kNothing, nanoseconds(1));
  stats.record(TierAnswer::kStale, nanoseconds(1));
  stats.record(TierAnswer::kFailed, nanoseconds(1));
  const auto totals = stats.totals();
  EXPECT_EQ(totals.hits, 2U);
  EXPECT_EQ(totals.misses, 2U) << "the stale one is a miss too";
  EXPECT_EQ(totals.stale, 1U);
  EXPECT_EQ(totals.latency.count, 5U) << "a failure takes time but is no lookup";
}

TEST(LookupStatsTest, a_lookup_that_was_not_timed_is_counted_all_the_same) {
  LookupStats stats;
  stats.record(TierAnswer::kHit, std::nullopt);
  EXPECT_EQ(stats.totals().hits, 1U);
  EXPECT_EQ(stats.totals().latency.count, 0U);
}

TEST(LookupStatsTest, each_thread_times_its_first_lookup_and_then_one_of_sixteen) {
  std::vector<int> timed;
  std::thread([&timed] {
    for (int i = 0; i < 33; ++i) {
      if (is_turn_to_time()) timed.push_back(i);
    }
  }).join();
  EXPECT_EQ(timed, (std::vector{0, 16, 32}));
}

TEST(LookupStatsTest, bounds_belong_to_the_bucket_below) {
  LookupStats stats;
  stats.record(TierAnswer::kHit, nanoseconds(0));
  stats.record(TierAnswer::kHit, nanoseconds(1'000));
  stats.record(TierAnswer::kHit, nanoseconds(1'001));
  const auto latency = stats.totals().latency;
  EXPECT_EQ(latency.buckets[0], 2U);
  EXPECT_EQ(latency.buckets[1], 1U);
  EXPECT_EQ(latency.sum_ns, 2'001U);
}

TEST(LookupStatsTest, last_bucket_takes_what_is_longer_than_every_bound) {
  LookupStats stats;
  stats.record(TierAnswer::kHit, std::chrono::seconds(1));
  stats.record(TierAnswer::kHit, std::chrono::seconds(1) + nanoseconds(1));
  const auto buckets = stats.totals().latency.buckets;
  EXPECT_EQ(buckets[kLatencyBoundsNs.size() - 1], 1U);
  EXPECT_EQ(buckets.back(), 1U);
}

// Twice as many threads as there are slots, all alive at once: some share the last slot.
TEST(LookupStatsTest, loses_nothing_with_more_threads_than_slots) {
  constexpr int kThreads = 2 * static_cast<int>(kThreadSlots);
  constexpr int kEach = 500;
  LookupStats stats;
  std::latch all_alive(kThreads);
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      stats.record(TierAnswer::kHit, nanoseconds(1));
      all_alive.arrive_and_wait();
      for (int n = 1; n < kEach; ++n) stats.record(TierAnswer::kHit, nanoseconds(1));
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(stats.totals().hits, static_cast<std::uint64_t>(kThreads) * kEach);
}

TEST(ThreadSlotsTest, slot_of_a_thread_that_ended_is_given_out_again) {
  for (int i = 0; i < 4 * static_cast<int>(kThreadSlots); ++i) {
    std::size_t slot = 0;
    std::thread([&] { slot = this_thread_slot(); }).join();
    ASSERT_LT(slot, kThreadSlots);
  }
}

TEST(ThreadSlotsTest, thread_keeps_its_slot) {
  const auto first = this_thread_slot();
  std::size_t other = first;
  std::thread([&] { other = this_thread_slot(); }).join();
  EXPECT_EQ(this_thread_slot(), first);
  EXPECT_NE(other, first);
}

}  // namespace
}  // namespace llm_edge_cache
