#include "llm_edge_cache/engine/policy/strategy_chooser.hpp"

#include <gtest/gtest.h>

#include "llm_edge_cache/engine/policy/split_mix.hpp"

namespace llm_edge_cache::engine {
namespace {

constexpr std::uint32_t kShadow = 400;
constexpr StrategySet only(std::uint32_t strategy) {
  return StrategySet{1} << strategy;
}

TEST(StrategyChooserTest, starts_with_the_first_strategy_and_stays_without_evidence) {
  StrategyChooser chooser;
  EXPECT_EQ(chooser.current(), kFirstStrategy);
  for (int i = 0; i < 10'000; ++i) {
    EXPECT_FALSE(chooser.observe(i % 2 == 0 ? kAllStrategies : 0, kShadow));
  }
}

TEST(StrategyChooserTest, follows_a_strategy_that_hits_where_the_current_one_misses) {
  StrategyChooser chooser;
  int changes = 0;
  for (std::uint32_t i = 0; i < 2 * kShadow; ++i) changes += chooser.observe(only(4), kShadow);
  EXPECT_EQ(chooser.current(), 4U);
  EXPECT_EQ(changes, 1);
  EXPECT_EQ(chooser.changes(), 1U);
}

TEST(StrategyChooserTest, ignores_a_difference_that_chance_explains) {
  SplitMix64 random(1);
  StrategyChooser chooser;
  for (std::uint32_t i = 0; i < 50 * kShadow; ++i) {
    chooser.observe(random.next() % 16 == 0 ? only(kFirstStrategy) : 0, kShadow);
    // Two strategies that take turns at random hit equally often.
    if (random.next() % 16 == 0) chooser.observe(only(random.next() % 2 == 0 ? 2 : 5), kShadow);
  }
  EXPECT_LE(chooser.changes(), 4U);
}

TEST(StrategyChooserTest, ignores_a_lead_too_small_to_repay_the_move) {
  StrategyChooser chooser;
  // Never the other way round, so significant, but only 1 in 200 uses.
  for (std::uint32_t i = 0; i < 50 * kShadow; ++i) {
    chooser.observe(i % 200 == 0 ? only(4) : kAllStrategies, kShadow);
  }
  EXPECT_EQ(chooser.current(), kFirstStrategy);
}

TEST(StrategyChooserTest, changes_its_mind_within_a_few_turnovers) {
  StrategyChooser chooser;
  for (std::uint32_t i = 0; i < 100 * kShadow; ++i) chooser.observe(only(3), kShadow);
  ASSERT_EQ(chooser.current(), 3U);
  std::uint32_t needed = 0;
  while (chooser.current() == 3 && needed < 100 * kShadow) {
    chooser.observe(only(0), kShadow);
    ++needed;
  }
  EXPECT_EQ(chooser.current(), 0U);
  EXPECT_LE(needed, 8 * kShadow);
}

}  // namespace
}  // namespace llm_edge_cache::engine
