#include <gmock/gmock.h>

#include <map>

#include "tests/unit/engine/engine_fixture.hpp"

namespace llm_edge_cache::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class CacheListenerTest : public EngineFixture<> {};

TEST_F(CacheListenerTest, hears_of_a_replaced_value) {
  auto& cache = make(inline_options());
  cache.put(1, 10);
  EXPECT_THAT(departures, IsEmpty());
  cache.put(1, 11);
  EXPECT_THAT(departures, ElementsAre(Departure(1, 10, RemovalCause::kReplaced)));
}

TEST_F(CacheListenerTest, hears_of_a_removed_value) {
  auto& cache = make(inline_options());
  cache.put(1, 10);
  cache.remove(1);
  EXPECT_THAT(departures, ElementsAre(Departure(1, 10, RemovalCause::kRemoved)));
}

TEST_F(CacheListenerTest, hears_of_a_value_that_expired_before_it_was_replaced) {
  auto options = inline_options();
  options.maintenance = MaintenanceMode::kCallers;
  auto& cache = make(options);
  cache.put(1, 10, {.time_to_live = std::chrono::seconds(1)});
  advance(std::chrono::seconds(1));
  cache.put(1, 11);
  cache.run_maintenance();
  EXPECT_THAT(departures, ElementsAre(Departure(1, 10, RemovalCause::kExpired)));
}

TEST_F(CacheListenerTest, hears_of_every_value_exactly_once) {
  auto& cache = make(inline_options(10));
  for (int i = 0; i < 1000; ++i) cache.put(i % 37, i);
  cache.clear();
  std::map<int, int> times;
  for (const auto& [key, value, cause] : departures) ++times[value];
  EXPECT_THAT(times, SizeIs(1000));
  for (const auto& [value, count] : times) EXPECT_EQ(count, 1) << value;
}

TEST_F(CacheListenerTest, may_use_the_cache) {
  std::atomic<std::int64_t> now{0};
  using ReentrantCache = Cache<int, int, TestTraits<int, int>>;
  ReentrantCache* self = nullptr;
  ReentrantCache cache(inline_options(), {.listener =
                                              [&](int key, int value, RemovalCause cause) {
                                                if (cause == RemovalCause::kRemoved) {
                                                  self->put(key + 1000, value);
                                                }
                                              },
                                          .clock = ManualClock(now)});
  self = &cache;
  cache.put(1, 10);
  cache.remove(1);
  EXPECT_EQ(cache.get(1001), 10);
}

TEST_F(CacheListenerTest, does_not_hear_of_values_that_stay_to_the_end) {
  int heard = 0;
  std::atomic<std::int64_t> now{0};
  {
    Cache<int, int, TestTraits<int, int>> cache(
        inline_options(),
        {.listener = [&](int, int, RemovalCause) { ++heard; }, .clock = ManualClock(now)});
    cache.put(1, 10);
  }
  EXPECT_EQ(heard, 0);
}

class LruCacheTest : public EngineFixture<int, int, LruTestTraits<int, int>> {};

TEST_F(LruCacheTest, evicts_what_was_used_longest_ago) {
  auto& cache = make(inline_options(3));
  for (int key = 1; key <= 3; ++key) cache.put(key, key);
  (void)cache.get(1);
  cache.put(4, 4);
  cache.put(5, 5);
  EXPECT_THAT(departures, ElementsAre(Departure(2, 2, RemovalCause::kSize),
                                      Departure(3, 3, RemovalCause::kSize)));
  EXPECT_THAT(cache.hottest(3), ElementsAre(5, 4, 1));
  EXPECT_THAT(cache.coldest(2), ElementsAre(1, 4));
}

TEST_F(LruCacheTest, a_replacement_keeps_and_renews_the_place) {
  auto& cache = make(inline_options(3));
  for (int key = 1; key <= 3; ++key) cache.put(key, key);
  cache.put(1, 11);
  EXPECT_THAT(cache.hottest(3), ElementsAre(1, 3, 2));
}

}  // namespace
}  // namespace llm_edge_cache::engine
