#include "llm_edge_cache/engine/cache.hpp"

#include <gmock/gmock.h>

#include <memory>
#include <string>

#include "tests/unit/engine/engine_fixture.hpp"

namespace llm_edge_cache::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

class CacheTest : public EngineFixture<> {};

TEST_F(CacheTest, get_finds_what_was_put) {
  auto& cache = make(inline_options());
  cache.put(1, 10);
  EXPECT_EQ(cache.get(1), 10);
  EXPECT_EQ(cache.get(2), std::nullopt);
  EXPECT_EQ(cache.size(), 1U);
}

TEST_F(CacheTest, a_second_put_replaces_the_value) {
  auto& cache = make(inline_options());
  cache.put(1, 10);
  cache.put(1, 11);
  EXPECT_EQ(cache.get(1), 11);
  EXPECT_EQ(cache.size(), 1U);
}

TEST_F(CacheTest, remove_tells_whether_there_was_a_value) {
  auto& cache = make(inline_options());
  cache.put(1, 10);
  EXPECT_TRUE(cache.remove(1));
  EXPECT_FALSE(cache.remove(1));
  EXPECT_EQ(cache.get(1), std::nullopt);
}

TEST_F(CacheTest, never_holds_more_entries_than_its_bound) {
  auto& cache = make(inline_options(7));
  for (int key = 0; key < 1000; ++key) {
    cache.put(key, key);
    ASSERT_LE(cache.size(), 7U);
  }
  EXPECT_EQ(cache.size(), 7U);
}

TEST_F(CacheTest, a_cache_of_one_holds_one) {
  auto& cache = make(inline_options(1));
  cache.put(1, 10);
  EXPECT_EQ(cache.get(1), 10);
  for (int key = 2; key < 20; ++key) cache.put(key, key);
  EXPECT_EQ(cache.size(), 1U);
}

TEST_F(CacheTest, a_cache_of_none_holds_none) {
  auto& cache = make(inline_options(0));
  cache.put(1, 10);
  EXPECT_EQ(cache.get(1), std::nullopt);
  EXPECT_EQ(cache.size(), 0U);
}

TEST_F(CacheTest, never_weighs_more_than_its_bound) {
  auto options = inline_options(kUnbounded);
  options.max_weight_bytes = 1000;
  auto& cache = make(options);
  for (int key = 0; key < 500; ++key) {
    cache.put(key, key, {.weight = static_cast<std::uint32_t>(key % 90)});
    ASSERT_LE(cache.weight(), 1000U);
  }
  EXPECT_GT(cache.weight(), 800U);
}

TEST_F(CacheTest, an_entry_heavier_than_the_bound_leaves_the_others_alone) {
  auto options = inline_options(kUnbounded);
  options.max_weight_bytes = 100;
  auto& cache = make(options);
  for (int key = 0; key < 10; ++key) cache.put(key, key, {.weight = 10});
  cache.put(99, 1, {.weight = 101});
  EXPECT_EQ(cache.get(99), std::nullopt);
  EXPECT_EQ(cache.size(), 10U);
}

TEST_F(CacheTest, an_entry_nearly_as_heavy_as_the_bound_can_stay) {
  auto options = inline_options(kUnbounded);
  options.max_weight_bytes = 64 << 20;
  auto& cache = make(options);
  cache.put(1, 1, {.weight = 2 << 20});
  EXPECT_EQ(cache.get(1), 1);
}

TEST_F(CacheTest, a_replacement_is_weighed_anew) {
  auto& cache = make(inline_options());
  cache.put(1, 10, {.weight = 5});
  cache.put(1, 11, {.weight = 9});
  EXPECT_EQ(cache.weight(), 9U);
}

TEST_F(CacheTest, clear_removes_everything) {
  auto& cache = make(inline_options());
  for (int key = 0; key < 50; ++key) cache.put(key, key);
  EXPECT_EQ(cache.clear(), 50U);
  EXPECT_EQ(cache.size(), 0U);
  EXPECT_EQ(cache.weight(), 0U);
}

TEST_F(CacheTest, remove_if_removes_what_the_predicate_names) {
  auto& cache = make(inline_options());
  for (int key = 0; key < 50; ++key) cache.put(key, key);
  EXPECT_EQ(cache.remove_if([](int key, int) { return key % 2 == 0; }), 25U);
  EXPECT_EQ(cache.get(4), std::nullopt);
  EXPECT_EQ(cache.get(5), 5);
}

TEST_F(CacheTest, for_each_visits_each_entry_once) {
  auto& cache = make(inline_options());
  for (int key = 0; key < 4; ++key) cache.put(key, key * 10);
  std::vector<std::pair<int, int>> seen;
  cache.for_each([&](int key, int value) { seen.emplace_back(key, value); });
  EXPECT_THAT(seen, UnorderedElementsAre(std::pair(0, 0), std::pair(1, 10), std::pair(2, 20),
                                         std::pair(3, 30)));
}

TEST_F(CacheTest, for_each_may_write_to_the_cache) {
  auto& cache = make(inline_options());
  for (int key = 0; key < 20; ++key) cache.put(key, key);
  cache.for_each([&](int key, int value) {
    cache.put(key, value + 1);
    cache.put(1000 + key, 0);
  });
  for (int key = 0; key < 20; ++key) EXPECT_EQ(cache.get(key), key + 1);
}

TEST_F(CacheTest, a_smaller_bound_holds_when_resize_returns) {
  auto& cache = make(inline_options(5000));
  for (int key = 0; key < 5000; ++key) cache.put(key, key);
  cache.resize(10);
  EXPECT_EQ(cache.size(), 10U);
  cache.resize(20);
  for (int key = 0; key < 5000; ++key) cache.put(key, key);
  EXPECT_EQ(cache.size(), 20U);
}

TEST_F(CacheTest, a_smaller_weight_holds_when_resize_returns) {
  auto options = inline_options(kUnbounded);
  options.max_weight_bytes = 100'000;
  auto& cache = make(options);
  for (int key = 0; key < 1000; ++key) cache.put(key, key, {.weight = 100});
  cache.resize(kUnbounded, 450);
  EXPECT_LE(cache.weight(), 450U);
  EXPECT_GT(cache.size(), 0U);
}

TEST_F(CacheTest, statistics_count_reads_and_removals) {
  auto& cache = make(inline_options(2));
  cache.put(1, 10, {.weight = 3});
  (void)cache.get(1);
  (void)cache.get(1);
  (void)cache.get(2);
  cache.remove(1);
  const CacheStatistics statistics = cache.statistics();
  EXPECT_EQ(statistics.hits, 2U);
  EXPECT_EQ(statistics.misses, 1U);
  EXPECT_EQ(statistics.removals_by(RemovalCause::kRemoved), 1U);
  EXPECT_EQ(statistics.removed_weight[static_cast<int>(RemovalCause::kRemoved)], 3U);
}

TEST_F(CacheTest, mean_life_is_that_of_the_entries_that_left) {
  auto& cache = make(inline_options());
  cache.put(1, 10);
  advance(std::chrono::seconds(10));
  cache.put(2, 10);
  advance(std::chrono::seconds(10));
  cache.clear();
  const auto mean = cache.statistics().mean_life;
  EXPECT_NEAR(static_cast<double>(mean.count()), 15e9, 0.1e9);
}

TEST_F(CacheTest, hottest_and_coldest_come_from_opposite_ends) {
  auto& cache = make(inline_options(10));
  for (int key = 0; key < 5; ++key) cache.put(key, key);
  const auto hottest = cache.hottest(100);
  auto coldest = cache.coldest(100);
  ASSERT_EQ(hottest.size(), 5U);
  EXPECT_EQ(cache.hottest(2).size(), 2U);
  EXPECT_THAT(coldest, ::testing::UnorderedElementsAreArray(hottest));
}

TEST_F(CacheTest, a_pinned_value_outlives_its_entry) {
  auto& cache = make(inline_options());
  cache.put(1, 10);
  auto pinned = cache.find(1);
  ASSERT_TRUE(pinned);
  cache.remove(1);
  cache.run_maintenance();
  EXPECT_EQ(*pinned, 10);
  EXPECT_EQ(pinned.key(), 1);
  EXPECT_EQ(cache.statistics().deferred_entries, 1U);
  pinned.reset();
  cache.run_maintenance();
  EXPECT_EQ(cache.statistics().deferred_entries, 0U);
}

TEST_F(CacheTest, one_thread_may_hold_many_pins) {
  auto& cache = make(inline_options());
  std::vector<Pinned<int, int>> pins;
  for (int key = 0; key < 40; ++key) {
    cache.put(key, key * 2);
    pins.push_back(cache.find(key));
  }
  cache.clear();
  cache.run_maintenance();
  for (int key = 0; key < 40; ++key) EXPECT_EQ(*pins[static_cast<std::size_t>(key)], key * 2);
  EXPECT_EQ(cache.statistics().deferred_entries, 40U);
}

TEST_F(CacheTest, with_calls_only_for_a_hit) {
  auto& cache = make(inline_options());
  cache.put(1, 10);
  int seen = 0;
  EXPECT_TRUE(cache.with(1, [&](const int& value) { seen = value; }));
  EXPECT_FALSE(cache.with(2, [&](const int&) { seen = -1; }));
  EXPECT_EQ(seen, 10);
}

TEST_F(CacheTest, writes_wait_for_maintenance_only_up_to_the_queues_bound) {
  auto options = inline_options(1000);
  options.maintenance = MaintenanceMode::kCallers;
  auto& cache = make(options);
  for (int key = 0; key < 20'000; ++key) {
    cache.put(key, key);
    ASSERT_LE(cache.size(), 1000 + cache.write_queue_bound());
  }
  cache.run_maintenance();
  EXPECT_EQ(cache.size(), 1000U);
}

TEST_F(CacheTest, heavy_writes_wait_for_maintenance_only_up_to_an_eighth_of_the_weight) {
  auto options = inline_options(kUnbounded);
  options.max_weight_bytes = 80'000;
  options.expected_entries = 1;
  options.maintenance = MaintenanceMode::kCallers;
  auto& cache = make(options);
  for (int key = 0; key < 1000; ++key) {
    cache.put(key, key, {.weight = 3000});
    ASSERT_LE(cache.weight(), 80'000U + 10'000U + 3000U);
  }
}

TEST_F(CacheTest, an_executor_takes_the_maintenance_over) {
  std::vector<std::function<void()>> jobs;
  auto options = inline_options(64);
  options.maintenance = MaintenanceMode::kCallers;
  auto& cache = make(options, [&](std::function<void()> job) { jobs.push_back(std::move(job)); });
  cache.put(1, 10);
  while (jobs.empty()) cache.put(1, 11);
  EXPECT_THAT(departures, IsEmpty());
  jobs.front()();
  ASSERT_FALSE(departures.empty());
  EXPECT_EQ(departures.front(), Departure(1, 10, RemovalCause::kReplaced));
}

TEST_F(CacheTest, options_that_make_no_sense_are_refused) {
  CacheOptions options;
  options.time_to_live = std::chrono::nanoseconds(0);
  EXPECT_THROW((Cache<int, int>(options)), std::invalid_argument);
}

TEST_F(CacheTest, keys_with_equal_hashes_are_told_apart) {
  struct OneHash {
    std::size_t operator()(int) const { return 7; }
  };
  struct Colliding : TestTraits<int, int> {
    using Hash = OneHash;
  };
  std::atomic<std::int64_t> now{1};
  Cache<int, int, Colliding> cache(inline_options(300), {.clock = ManualClock(now)});
  for (int key = 0; key < 300; ++key) cache.put(key, key);
  for (int key = 0; key < 300; ++key) ASSERT_EQ(cache.get(key), key);
  int visited = 0;
  cache.for_each([&](int, int) { ++visited; });
  EXPECT_EQ(visited, 300);
  for (int key = 0; key < 300; key += 2) ASSERT_TRUE(cache.remove(key));
  for (int key = 0; key < 300; ++key) ASSERT_EQ(cache.get(key).has_value(), key % 2 == 1);
  EXPECT_TRUE(cache.validate());
}

class HeavyCacheTest : public EngineFixture<std::string, std::shared_ptr<const std::string>> {};

TEST_F(HeavyCacheTest, values_are_freed_once_they_left_and_nobody_looks) {
  auto& cache = make(inline_options(10));
  std::weak_ptr<const std::string> watched;
  {
    auto value = std::make_shared<const std::string>("text");
    watched = value;
    cache.put("a", value);
  }
  departures.clear();
  const auto copy = cache.get("a");
  cache.remove("a");
  departures.clear();
  cache.run_maintenance();
  EXPECT_FALSE(watched.expired());
  EXPECT_EQ(**copy, "text");
  EXPECT_EQ(watched.use_count(), 1);
}

TEST(CacheLayoutTest, an_entry_costs_at_most_eighty_bytes_beyond_key_and_value) {
  constexpr int kEntries = 100'000;
  CacheOptions options;
  options.max_entries = kEntries;
  options.maintenance = MaintenanceMode::kCallers;
  Cache<std::uint64_t, std::uint64_t> cache(options);
  for (std::uint64_t key = 0; key < kEntries; ++key) cache.put(key, key);
  cache.run_maintenance();
  ASSERT_EQ(cache.size(), static_cast<std::uint64_t>(kEntries));
  EXPECT_LE(cache.memory_bytes() / kEntries, 80U + 16U);
}

}  // namespace
}  // namespace llm_edge_cache::engine
