#include "llm_edge_cache/engine/policy/lru_policy.hpp"

#include <gtest/gtest.h>

#include "tests/unit/engine/policy/simulated_cache.hpp"

namespace llm_edge_cache::engine {
namespace {

using Cache = testing::SimulatedCache<LruPolicy>;

TEST(LruPolicyTest, evicts_what_was_used_longest_ago) {
  Cache cache({.bounds = {.max_entries = 3}});
  for (const std::uint64_t key : {1, 2, 3, 1, 4}) cache.use(key);
  EXPECT_FALSE(cache.contains(2));
  for (const std::uint64_t key : {1, 3, 4}) EXPECT_TRUE(cache.contains(key));
  EXPECT_TRUE(cache.policy().validate());
}

TEST(LruPolicyTest, holds_both_bounds) {
  Cache cache({.bounds = {.max_entries = 10, .max_weight_bytes = 100}});
  for (std::uint64_t key = 0; key < 100; ++key) {
    cache.use(key, static_cast<std::uint32_t>(key % 60));
    EXPECT_LE(cache.policy().count(), 10U);
    EXPECT_LE(cache.policy().weight(), 100U);
  }
}

TEST(LruPolicyTest, an_entry_heavier_than_the_bound_displaces_nothing) {
  Cache cache({.bounds = {.max_weight_bytes = 100}});
  for (std::uint64_t key = 0; key < 10; ++key) cache.use(key, 10);
  cache.use(99, 101);
  EXPECT_FALSE(cache.contains(99));
  EXPECT_EQ(cache.size(), 10U);
  cache.reweigh(5, 1000);
  EXPECT_FALSE(cache.contains(5));
  EXPECT_EQ(cache.size(), 9U);
  cache.replace(6, 1000);
  EXPECT_FALSE(cache.contains(6));
  EXPECT_EQ(cache.size(), 8U);
}

TEST(LruPolicyTest, names_hottest_and_coldest) {
  Cache cache({.bounds = {.max_entries = 5}});
  for (std::uint64_t key = 0; key < 5; ++key) cache.use(key);
  EXPECT_EQ(cache.key_of(cache.policy().hottest(2).at(0)), 4U);
  EXPECT_EQ(cache.key_of(cache.policy().coldest(2).at(1)), 1U);
  EXPECT_EQ(cache.policy().coldest(99).size(), 5U);
}

TEST(LruPolicyTest, a_smaller_bound_evicts_the_coldest_at_once) {
  Cache cache({.bounds = {.max_entries = 100}});
  for (std::uint64_t key = 0; key < 100; ++key) cache.use(key);
  cache.resize({.max_entries = 10});
  EXPECT_EQ(cache.size(), 10U);
  EXPECT_TRUE(cache.contains(99));
  EXPECT_TRUE(cache.policy().validate());
}

}  // namespace
}  // namespace llm_edge_cache::engine
