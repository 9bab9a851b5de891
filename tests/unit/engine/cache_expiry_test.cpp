#include <gmock/gmock.h>

#include "tests/unit/engine/engine_fixture.hpp"

namespace llm_edge_cache::engine {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class CacheExpiryTest : public EngineFixture<> {
 protected:
  static CacheOptions living(nanoseconds time_to_live) {
    auto options = inline_options();
    options.time_to_live = time_to_live;
    return options;
  }
  static CacheOptions idling(nanoseconds time_to_idle) {
    auto options = inline_options();
    options.time_to_idle = time_to_idle;
    return options;
  }
};

TEST_F(CacheExpiryTest, an_entry_is_there_until_its_time_to_live_has_passed) {
  auto& cache = make(living(seconds(10)));
  cache.put(1, 10);
  advance(seconds(10) - nanoseconds(1));
  EXPECT_EQ(cache.get(1), 10);
  advance(nanoseconds(1));
  EXPECT_EQ(cache.get(1), std::nullopt);
}

TEST_F(CacheExpiryTest, reads_do_not_prolong_the_time_to_live) {
  auto& cache = make(living(seconds(10)));
  cache.put(1, 10);
  for (int i = 0; i < 9; ++i) {
    advance(seconds(1));
    EXPECT_EQ(cache.get(1), 10);
  }
  advance(seconds(1));
  EXPECT_EQ(cache.get(1), std::nullopt);
}

TEST_F(CacheExpiryTest, a_put_may_name_its_own_time_to_live) {
  auto& cache = make(living(seconds(10)));
  cache.put(1, 10, {.time_to_live = seconds(1)});
  cache.put(2, 20, {.time_to_live = hours(1)});
  advance(seconds(1));
  EXPECT_EQ(cache.get(1), std::nullopt);
  advance(seconds(100));
  EXPECT_EQ(cache.get(2), 20);
}

TEST_F(CacheExpiryTest, a_replacement_starts_a_new_life) {
  auto& cache = make(living(seconds(10)));
  cache.put(1, 10);
  advance(seconds(9));
  cache.put(1, 11);
  advance(seconds(9));
  EXPECT_EQ(cache.get(1), 11);
}

TEST_F(CacheExpiryTest, no_time_to_live_keeps_nothing) {
  auto& cache = make(inline_options());
  cache.put(1, 10, {.time_to_live = nanoseconds(0)});
  EXPECT_EQ(cache.get(1), std::nullopt);
  EXPECT_EQ(cache.size(), 0U);
  EXPECT_THAT(departures, ElementsAre(Departure(1, 10, RemovalCause::kExpired)));
}

TEST_F(CacheExpiryTest, a_time_to_live_longer_than_time_itself_is_none) {
  auto& cache = make(inline_options());
  cache.put(1, 10, {.time_to_live = nanoseconds::max()});
  advance(hours(24 * 365 * 100));
  EXPECT_EQ(cache.get(1), 10);
}

TEST_F(CacheExpiryTest, a_read_prolongs_the_time_to_idle) {
  auto& cache = make(idling(seconds(10)));
  cache.put(1, 10);
  for (int i = 0; i < 5; ++i) {
    advance(seconds(9));
    EXPECT_EQ(cache.get(1), 10);
  }
  advance(seconds(10));
  EXPECT_EQ(cache.get(1), std::nullopt);
}

TEST_F(CacheExpiryTest, the_sooner_of_both_ends_counts) {
  auto options = living(seconds(10));
  options.time_to_idle = seconds(4);
  auto& cache = make(options);
  cache.put(1, 10);
  cache.put(2, 20);
  for (int i = 0; i < 3; ++i) {
    advance(seconds(3));
    EXPECT_EQ(cache.get(1), 10);
  }
  EXPECT_EQ(cache.get(2), std::nullopt);
  advance(seconds(1));
  EXPECT_EQ(cache.get(1), std::nullopt);
}

TEST_F(CacheExpiryTest, expired_entries_leave_without_traffic) {
  auto& cache = make(living(seconds(10)));
  for (int key = 0; key < 50; ++key) cache.put(key, key);
  advance(seconds(10));
  cache.run_maintenance();
  EXPECT_EQ(cache.size(), 0U);
  EXPECT_EQ(cache.statistics().removals_by(RemovalCause::kExpired), 50U);
}

TEST_F(CacheExpiryTest, an_entry_that_was_read_stays_when_its_timer_fires) {
  auto& cache = make(idling(seconds(10)));
  cache.put(1, 10);
  cache.put(2, 20);
  advance(seconds(6));
  (void)cache.get(1);
  advance(seconds(6));
  cache.run_maintenance();
  EXPECT_EQ(cache.size(), 1U);
  EXPECT_EQ(cache.get(1), 10);
}

TEST_F(CacheExpiryTest, what_is_expired_makes_room_before_anything_live_does) {
  auto& cache = make(inline_options(3));
  cache.put(1, 1);
  cache.put(2, 2);
  cache.put(3, 3, {.time_to_live = seconds(1)});
  advance(seconds(1));
  cache.put(4, 4);
  EXPECT_EQ(cache.get(1), 1);
  EXPECT_EQ(cache.get(2), 2);
}

TEST_F(CacheExpiryTest, removing_an_expired_entry_removes_nothing) {
  auto options = living(seconds(10));
  options.maintenance = MaintenanceMode::kCallers;
  auto& cache = make(options);
  cache.put(1, 10);
  advance(seconds(10));
  EXPECT_FALSE(cache.remove(1));
  cache.run_maintenance();
  EXPECT_THAT(departures, ElementsAre(Departure(1, 10, RemovalCause::kExpired)));
}

TEST_F(CacheExpiryTest, expired_entries_give_their_memory_back) {
  constexpr int kEntries = 200'000;
  auto options = living(seconds(300));
  options.max_entries = kEntries;
  options.maintenance = MaintenanceMode::kCallers;
  options.timer_tick = CacheOptions{}.timer_tick;
  std::atomic<std::int64_t> now{0};
  Cache<int, int, TestTraits<int, int>> cache(options, {.clock = ManualClock(now)});
  cache.run_maintenance();
  const std::size_t empty_bytes = cache.memory_bytes();
  for (int key = 0; key < kEntries; ++key) cache.put(key, key);
  cache.run_maintenance();
  ASSERT_EQ(cache.size(), static_cast<std::uint64_t>(kEntries));
  const std::size_t full_bytes = cache.memory_bytes();
  now = (std::chrono::nanoseconds(seconds(301))).count();
  cache.run_maintenance();
  EXPECT_EQ(cache.size(), 0U);
  // The policy keeps its sketch: 8 to 16 bytes per entry.
  EXPECT_LT(cache.memory_bytes(), empty_bytes + 16U * kEntries);
  EXPECT_GT(full_bytes, 60U * kEntries);
}

}  // namespace
}  // namespace llm_edge_cache::engine
