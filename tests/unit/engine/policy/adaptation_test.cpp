// The adaptive policy finds the right strategy on workloads that each defeat some fixed one.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <optional>

#include "bench/hit_ratio/workloads.hpp"
#include "llm_edge_cache/engine/policy/tiny_lfu_policy.hpp"
#include "tests/unit/engine/policy/simulated_cache.hpp"

namespace llm_edge_cache::engine {
namespace {

using Cache = testing::SimulatedCache<TinyLfuPolicy>;
constexpr std::uint64_t kCapacity = 200;

double hit_percent(Cache& cache, const bench::Keys& keys) {
  std::size_t hits = 0;
  for (const std::uint64_t key : keys) hits += cache.use(key) ? 1 : 0;
  return 100.0 * static_cast<double>(hits) / static_cast<double>(keys.size());
}

double fixed_percent(const bench::Keys& keys, std::optional<std::uint32_t> strategy) {
  Cache cache({.bounds = {.max_entries = kCapacity}, .fixed_strategy = strategy});
  return hit_percent(cache, keys);
}

TEST(AdaptationTest, comes_close_to_the_best_fixed_strategy_on_every_shape) {
  for (const auto& workload : bench::standard_workloads(kCapacity, 7)) {
    double best = 0;
    for (std::uint32_t s = 0; s < kStrategyCount; ++s) {
      best = std::max(best, fixed_percent(workload.keys, s));
    }
    EXPECT_GE(fixed_percent(workload.keys, std::nullopt), best - 1.5) << workload.name;
  }
}

TEST(AdaptationTest, a_loop_shrinks_the_window) {
  Cache cache({.bounds = {.max_entries = kCapacity}});
  hit_percent(cache, bench::loop(2 * kCapacity, 20 * kCapacity));
  EXPECT_LT(cache.policy().statistics().window_fraction, 0.05);
}

TEST(AdaptationTest, short_lives_widen_the_window) {
  Cache cache({.bounds = {.max_entries = kCapacity}});
  hit_percent(cache, bench::short_lives(4, 2 * kCapacity, 30 * kCapacity, 1));
  EXPECT_GT(cache.policy().statistics().window_fraction, 0.9);
  EXPECT_GT(cache.policy().statistics().adaptations, 0U);
}

TEST(AdaptationTest, beats_every_fixed_strategy_when_the_workload_turns) {
  const bench::Keys keys =
      bench::phases({bench::loop(2 * kCapacity, 40 * kCapacity),
                     bench::short_lives(4, kCapacity * 3 / 4, 40 * kCapacity, 1)});
  for (std::uint32_t s = 0; s < kStrategyCount; ++s) {
    EXPECT_GT(fixed_percent(keys, std::nullopt), fixed_percent(keys, s)) << s;
  }
}

TEST(AdaptationTest, a_change_of_strategy_moves_entries_at_the_pace_of_insertions) {
  Cache cache({.bounds = {.max_entries = kCapacity}});
  hit_percent(cache, bench::short_lives(4, 2 * kCapacity, 30 * kCapacity, 1));
  ASSERT_GT(cache.policy().statistics().window_fraction, 0.9);
  for (const std::uint64_t key : bench::loop(2 * kCapacity, 20 * kCapacity)) {
    const std::size_t before = cache.size();
    cache.use(std::uint64_t{1} << 50 | key);
    ASSERT_EQ(cache.size(), before);
    ASSERT_TRUE(cache.policy().validate());
  }
  EXPECT_LE(cache.policy().statistics().window_fraction, 0.1);
}

TEST(AdaptationTest, a_fixed_strategy_stays) {
  Cache cache({.bounds = {.max_entries = kCapacity}, .fixed_strategy = 2});
  hit_percent(cache, bench::loop(2 * kCapacity, 20 * kCapacity));
  EXPECT_EQ(cache.policy().statistics().window_fraction, kStrategies[2].window);
  EXPECT_EQ(cache.policy().statistics().adaptations, 0U);
}

}  // namespace
}  // namespace llm_edge_cache::engine
