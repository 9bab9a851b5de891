#include "llm_edge_cache/engine/policy/shadow_caches.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <optional>

#include "llm_edge_cache/engine/policy/tiny_lfu_policy.hpp"
#include "tests/unit/engine/policy/simulated_cache.hpp"

namespace llm_edge_cache::engine {
namespace {

std::uint64_t hash_of(std::uint64_t key) {
  return SplitMix64(key).next();
}

/// Shadows with the sketch that they read, as the policy drives them.
class Simulation {
 public:
  explicit Simulation(std::uint64_t entries) : sketch_(entries, 1), shadows_(2) {
    shadows_.set_capacity(entries);
    sketch_.reserve(entries);
  }

  StrategySet use(std::uint64_t key) {
    sketch_.increment(hash_of(key));
    if (!shadows_.samples(hash_of(key))) return 0;
    ++sampled_;
    const StrategySet hits = shadows_.use(hash_of(key), sketch_);
    for (std::uint32_t s = 0; s < kStrategyCount; ++s) hits_[s] += hits >> s & 1;
    return hits;
  }

  [[nodiscard]] double hit_ratio(std::uint32_t strategy) const {
    return static_cast<double>(hits_[strategy]) / static_cast<double>(sampled_);
  }
  ShadowCaches& shadows() { return shadows_; }
  [[nodiscard]] std::uint64_t sampled() const { return sampled_; }

 private:
  FrequencySketch sketch_;
  ShadowCaches shadows_;
  std::array<std::uint64_t, kStrategyCount> hits_{};
  std::uint64_t sampled_ = 0;
};

std::uint64_t skewed_key(SplitMix64& random, std::uint64_t keys) {
  const std::uint64_t a = random.next() % keys;
  return a * (random.next() % keys) / keys * (random.next() % keys) / keys;
}

TEST(ShadowCachesTest, every_list_is_sound_after_every_use) {
  Simulation simulation(40);
  SplitMix64 random(1);
  for (int i = 0; i < 3000; ++i) {
    simulation.use(random.next() % 120);
    if (i % 10 == 0) simulation.shadows().forget(hash_of(random.next() % 120));
    ASSERT_TRUE(simulation.shadows().validate()) << i;
  }
}

TEST(ShadowCachesTest, sound_while_the_capacity_changes) {
  Simulation simulation(100);
  SplitMix64 random(1);
  for (int i = 0; i < 400; ++i) {
    simulation.shadows().set_capacity(1 + random.next() % 4000);
    for (int j = 0; j < 20; ++j) simulation.use(random.next() % 6000);
    ASSERT_TRUE(simulation.shadows().validate()) << i;
  }
}

TEST(ShadowCachesTest, a_small_cache_is_simulated_exactly_under_lru) {
  constexpr std::uint32_t kLru = 3;
  Simulation simulation(50);
  testing::SimulatedCache<TinyLfuPolicy> real(
      {.bounds = {.max_entries = 50}, .fixed_strategy = kLru});
  SplitMix64 random(1);
  for (int i = 0; i < 20'000; ++i) {
    const std::uint64_t key = skewed_key(random, 1000);
    ASSERT_EQ((simulation.use(key) >> kLru & 1) != 0, real.use(key)) << i;
  }
}

TEST(ShadowCachesTest, a_sample_comes_close_to_the_whole_cache) {
  constexpr std::uint64_t kEntries = 4000;
  Simulation simulation(kEntries);
  SplitMix64 random(1);
  std::array<std::optional<testing::SimulatedCache<TinyLfuPolicy>>, kStrategyCount> real;
  for (std::uint32_t s = 0; s < kStrategyCount; ++s) {
    real[s].emplace(PolicyOptions{.bounds = {.max_entries = kEntries}, .fixed_strategy = s});
  }
  std::array<int, kStrategyCount> hits{};
  constexpr int kUses = 60'000;
  for (int i = 0; i < kUses; ++i) {
    const std::uint64_t key = skewed_key(random, 60'000);
    simulation.use(key);
    for (std::uint32_t s = 0; s < kStrategyCount; ++s) hits[s] += real[s]->use(key) ? 1 : 0;
  }
  EXPECT_LT(simulation.sampled(), kUses / 4U);
  for (std::uint32_t s = 0; s < kStrategyCount; ++s) {
    EXPECT_NEAR(simulation.hit_ratio(s), 1.0 * hits[s] / kUses, 0.08) << s;
  }
}

TEST(ShadowCachesTest, a_forgotten_key_is_a_miss_everywhere) {
  Simulation simulation(100);
  for (int i = 0; i < 3; ++i) simulation.use(1);
  EXPECT_EQ(simulation.use(1), kAllStrategies);
  simulation.shadows().forget(hash_of(1));
  EXPECT_EQ(simulation.use(1), 0U);
}

TEST(ShadowCachesTest, memory_is_bounded_however_large_the_cache) {
  Simulation simulation(1'000'000);
  for (std::uint64_t key = 0; key < 1'500'000; ++key) simulation.use(key);
  EXPECT_LE(simulation.shadows().memory_bytes(), 160 * 1024U);
  EXPECT_TRUE(simulation.shadows().validate());
}

}  // namespace
}  // namespace llm_edge_cache::engine
