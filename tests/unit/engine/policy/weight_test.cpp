// TinyLfuPolicy bounded by bytes.

#include <gtest/gtest.h>

#include <cstdint>

#include "llm_edge_cache/engine/policy/tiny_lfu_policy.hpp"
#include "tests/unit/engine/policy/simulated_cache.hpp"

namespace llm_edge_cache::engine {
namespace {

using Cache = testing::SimulatedCache<TinyLfuPolicy>;

constexpr std::uint64_t kMiB = 1 << 20;
constexpr std::uint32_t kTwoMiB = 2 << 20;
constexpr std::uint32_t kSmall = 2048;

std::uint64_t count_small(const Cache& cache, std::uint64_t keys) {
  std::uint64_t kept = 0;
  for (std::uint64_t key = 0; key < keys; ++key) kept += cache.contains(key) ? 1 : 0;
  return kept;
}

TEST(PolicyWeightTest, a_64_mib_cache_holds_a_2_mib_entry) {
  for (std::uint32_t strategy = 0; strategy < kStrategyCount; ++strategy) {
    Cache cache({.bounds = {.max_weight_bytes = 64 * kMiB}, .fixed_strategy = strategy});
    cache.use(1, kTwoMiB);
    EXPECT_TRUE(cache.contains(1));
    for (std::uint64_t key = 100; key < 120; ++key) cache.use(key, kTwoMiB);
    EXPECT_EQ(cache.size(), 21U);
  }
}

TEST(PolicyWeightTest, one_heavy_entry_does_not_sweep_a_thousand_light_ones_in_use) {
  for (std::uint32_t strategy = 0; strategy < kStrategyCount; ++strategy) {
    Cache cache(
        {.bounds = {.max_weight_bytes = 2 * kMiB + 100 * kSmall}, .fixed_strategy = strategy});
    for (int round = 0; round < 3; ++round) {
      for (std::uint64_t key = 0; key < 1100; ++key) cache.use(key, kSmall);
    }
    for (int i = 0; i < 5; ++i) cache.use(99'999, kTwoMiB);
    EXPECT_FALSE(cache.contains(99'999)) << strategy;
    EXPECT_GE(count_small(cache, 1100), 1080U) << strategy;
    EXPECT_TRUE(cache.policy().validate());
  }
}

TEST(PolicyWeightTest, a_heavy_entry_displaces_those_that_are_used_less_than_it_all_together) {
  Cache cache({.bounds = {.max_weight_bytes = 100 * kMiB}, .fixed_strategy = 0});
  for (std::uint64_t key = 0; key < 200; ++key) cache.use(key, 512 * 1024);
  for (int i = 0; i < 10; ++i) cache.use(99'999, kTwoMiB);
  EXPECT_TRUE(cache.contains(99'999));
  EXPECT_EQ(count_small(cache, 200), 196U);
}

TEST(PolicyWeightTest, heavy_entries_among_their_like_are_treated_as_any_other) {
  for (std::uint32_t strategy = 0; strategy < kStrategyCount; ++strategy) {
    Cache heavy(
        {.bounds = {.max_weight_bytes = 100 * std::uint64_t{kTwoMiB}}, .fixed_strategy = strategy});
    Cache light({.bounds = {.max_weight_bytes = 100}, .fixed_strategy = strategy});
    SplitMix64 random(1);
    for (int i = 0; i < 5000; ++i) {
      const std::uint64_t key = random.next() % (random.next() % 400 + 1);
      ASSERT_EQ(heavy.use(key, kTwoMiB), light.use(key, 1)) << strategy << " " << i;
    }
  }
}

TEST(PolicyWeightTest, an_entry_heavier_than_the_bound_leaves_at_once_and_displaces_nothing) {
  for (std::uint32_t strategy = 0; strategy < kStrategyCount; ++strategy) {
    Cache cache({.bounds = {.max_weight_bytes = kMiB}, .fixed_strategy = strategy});
    for (std::uint64_t key = 0; key < 512; ++key) cache.use(key, kSmall);
    cache.use(99'999, kTwoMiB);
    EXPECT_FALSE(cache.contains(99'999));
    EXPECT_EQ(cache.size(), 512U) << strategy;
  }
}

TEST(PolicyWeightTest, an_entry_that_grows_over_the_bound_leaves_alone) {
  Cache cache({.bounds = {.max_weight_bytes = kMiB}});
  for (std::uint64_t key = 0; key < 512; ++key) cache.use(key, kSmall);
  cache.reweigh(17, kTwoMiB);
  EXPECT_FALSE(cache.contains(17));
  EXPECT_EQ(cache.size(), 511U);
}

TEST(PolicyWeightTest, entries_without_weight_count_as_entries_only) {
  Cache cache({.bounds = {.max_entries = 50, .max_weight_bytes = 10}});
  for (std::uint64_t key = 0; key < 200; ++key) cache.use(key, 0);
  EXPECT_EQ(cache.size(), 50U);
  EXPECT_EQ(cache.policy().weight(), 0U);
  EXPECT_TRUE(cache.policy().validate());
}

TEST(PolicyWeightTest, a_byte_bound_adapts_like_an_entry_bound) {
  Cache cache({.bounds = {.max_weight_bytes = 1000 * std::uint64_t{kSmall}}});
  for (std::uint64_t i = 0; i < 40'000; ++i) cache.use(i % 4000, kSmall);
  EXPECT_LT(cache.policy().statistics().window_fraction, 0.05);
  std::uint64_t hits = 0;
  for (std::uint64_t i = 0; i < 4000; ++i) hits += cache.use(i, kSmall) ? 1 : 0;
  EXPECT_GT(hits, 900U);
}

}  // namespace
}  // namespace llm_edge_cache::engine
