#include "llm_edge_cache/engine/policy/tiny_lfu_policy.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>

#include "tests/unit/engine/policy/simulated_cache.hpp"

namespace llm_edge_cache::engine {
namespace {

using Cache = testing::SimulatedCache<TinyLfuPolicy>;

constexpr std::uint32_t kSmallWindow = 0;
constexpr std::uint32_t kWholeWindow = 3;
static_assert(kStrategies[kWholeWindow].window == 1.0);

TEST(TinyLfuPolicyTest, a_capacity_of_one_holds_the_entry_that_came_last) {
  Cache cache({.bounds = {.max_entries = 1}});
  for (std::uint64_t key = 0; key < 100; ++key) {
    cache.use(key);
    EXPECT_EQ(cache.size(), 1U);
    EXPECT_TRUE(cache.contains(key));
    EXPECT_TRUE(cache.policy().validate());
  }
}

TEST(TinyLfuPolicyTest, a_capacity_of_zero_holds_nothing) {
  Cache cache({.bounds = {.max_entries = 0}});
  for (std::uint64_t key = 0; key < 10; ++key) cache.use(key);
  EXPECT_EQ(cache.size(), 0U);
}

TEST(TinyLfuPolicyTest, fills_up_before_it_evicts_anything) {
  for (const std::uint64_t capacity : {2, 3, 10, 1000}) {
    Cache cache({.bounds = {.max_entries = capacity}});
    for (std::uint64_t key = 0; key < capacity; ++key) cache.use(key);
    EXPECT_EQ(cache.size(), capacity);
  }
}

TEST(TinyLfuPolicyTest, a_scan_does_not_displace_what_is_used_often) {
  Cache cache({.bounds = {.max_entries = 100}, .fixed_strategy = kSmallWindow});
  for (int round = 0; round < 5; ++round) {
    for (std::uint64_t key = 0; key < 90; ++key) cache.use(key);
  }
  for (std::uint64_t key = 1000; key < 1400; ++key) cache.use(key);
  int kept = 0;
  for (std::uint64_t key = 0; key < 90; ++key) kept += cache.contains(key) ? 1 : 0;
  EXPECT_GE(kept, 85);
  EXPECT_GT(cache.refused(), 300U);
  EXPECT_EQ(cache.policy().statistics().refusals, cache.refused());
}

TEST(TinyLfuPolicyTest, a_key_that_becomes_hot_is_admitted) {
  Cache cache({.bounds = {.max_entries = 100}, .fixed_strategy = kSmallWindow});
  for (int round = 0; round < 2; ++round) {
    for (std::uint64_t key = 0; key < 100; ++key) cache.use(key);
  }
  for (std::uint64_t i = 0; i < 30; ++i) {
    cache.use(7777);
    for (std::uint64_t other = 0; other < 5; ++other) cache.use(100'000 + 5 * i + other);
  }
  EXPECT_TRUE(cache.contains(7777));
  EXPECT_GT(cache.policy().statistics().admissions, 0U);
}

TEST(TinyLfuPolicyTest, a_window_of_everything_is_lru) {
  Cache cache({.bounds = {.max_entries = 3}, .fixed_strategy = kWholeWindow});
  for (const std::uint64_t key : {1, 1, 1, 2, 3, 4}) cache.use(key);
  EXPECT_FALSE(cache.contains(1));
  for (const std::uint64_t key : {2, 3, 4}) EXPECT_TRUE(cache.contains(key));
}

TEST(TinyLfuPolicyTest, hottest_and_coldest_are_the_two_ends_of_one_order) {
  Cache cache({.bounds = {.max_entries = 50}, .fixed_strategy = kSmallWindow});
  for (std::uint64_t key = 0; key < 50; ++key) cache.use(key);
  for (int i = 0; i < 5; ++i) cache.use(7);
  const auto hottest = cache.policy().hottest(50);
  auto coldest = cache.policy().coldest(50);
  EXPECT_EQ(cache.key_of(hottest.front()), 7U);
  std::reverse(coldest.begin(), coldest.end());
  EXPECT_EQ(hottest, coldest);
  EXPECT_EQ(cache.policy().hottest(3).size(), 3U);
}

TEST(TinyLfuPolicyTest, the_same_seed_and_calls_give_the_same_evictions) {
  Cache one({.bounds = {.max_entries = 64}, .seed = 5});
  Cache two({.bounds = {.max_entries = 64}, .seed = 5});
  SplitMix64 random(1);
  for (int i = 0; i < 20'000; ++i) {
    const std::uint64_t key = random.next() % 200;
    ASSERT_EQ(one.use(key), two.use(key)) << i;
  }
}

TEST(TinyLfuPolicyTest, a_larger_bound_is_filled_and_a_smaller_one_kept_at_once) {
  Cache cache({.bounds = {.max_entries = 100}});
  for (std::uint64_t key = 0; key < 500; ++key) cache.use(key);
  cache.resize({.max_entries = 300});
  for (std::uint64_t key = 1000; key < 1200; ++key) cache.use(key);
  EXPECT_EQ(cache.size(), 300U);
  cache.resize({.max_entries = 7});
  EXPECT_EQ(cache.size(), 7U);
  EXPECT_TRUE(cache.policy().validate());
}

TEST(TinyLfuPolicyTest, a_replaced_entry_keeps_its_place_and_takes_the_new_weight) {
  Cache cache({.bounds = {.max_weight_bytes = 1000}});
  for (std::uint64_t key = 0; key < 10; ++key) cache.use(key, 10);
  cache.replace(3, 500);
  EXPECT_EQ(cache.policy().weight(), 590U);
  EXPECT_EQ(cache.policy().count(), 10U);
  EXPECT_TRUE(cache.policy().validate());
  cache.replace(3, 2000);
  EXPECT_FALSE(cache.contains(3));
  EXPECT_EQ(cache.size(), 9U);
}

TEST(TinyLfuPolicyTest, an_empty_cache_of_ten_million_costs_little) {
  Cache cache({.bounds = {.max_entries = 10'000'000}});
  for (std::uint64_t key = 0; key < 100; ++key) cache.use(key);
  EXPECT_LT(cache.policy().memory_bytes(), 32'768U);
}

TEST(TinyLfuPolicyTest, a_full_cache_costs_what_is_promised) {
  Cache cache({.bounds = {.max_entries = 20'000}});
  for (std::uint64_t key = 0; key < 100'000; ++key) cache.use(key);
  EXPECT_LE(cache.policy().memory_bytes(), 8 * 20'000U + 160 * 1024U);
}

/// All hashes equal: as if every key had been made to collide in the sketch with a hot one.
class FloodedNodes : public testing::VectorNodes {
 public:
  [[nodiscard]] std::uint64_t hash(Handle) const { return 42; }
};

TEST(TinyLfuPolicyTest, victims_that_seem_hot_for_ever_are_let_go_by_chance) {
  FloodedNodes nodes;
  TinyLfuPolicy<FloodedNodes> policy(
      nodes, {.bounds = {.max_entries = 100}, .fixed_strategy = kSmallWindow});
  std::uint64_t left_main = 0;
  for (std::uint64_t key = 0; key < 20'000; ++key) {
    policy.on_insert(nodes.allocate(key, 42, 1));
    policy.evict([&](Handle handle, bool refused_admission) {
      left_main += key >= 100 && !refused_admission ? 1 : 0;
      nodes.release(handle);
    });
  }
  EXPECT_TRUE(policy.validate());
  // One in 128 refusals on average; without the escape, none.
  EXPECT_GT(left_main, 20'000U / 256);
  EXPECT_LT(left_main, 20'000U / 64);
}

}  // namespace
}  // namespace llm_edge_cache::engine
