#include "replay/replay_stats.hpp"

#include <gtest/gtest.h>

#include <numeric>

namespace llm_edge_cache::app {
namespace {

TEST(PercentilesTest, are_values_that_occurred) {
  std::vector<std::uint32_t> values(100);
  std::iota(values.rbegin(), values.rend(), 1);
  const auto of = percentiles(values);
  EXPECT_EQ(of.count, 100U);
  EXPECT_EQ(of.p50, 50U);
  EXPECT_EQ(of.p90, 90U);
  EXPECT_EQ(of.p99, 99U);
  EXPECT_EQ(of.max, 100U);
}

TEST(PercentilesTest, of_one_value_are_that_value) {
  const auto of = percentiles({7});
  EXPECT_EQ(of.p50, 7U);
  EXPECT_EQ(of.p99, 7U);
}

TEST(PercentilesTest, of_nothing_are_zero) {
  EXPECT_EQ(percentiles({}).count, 0U);
}

TEST(ReplayStatsTest, hits_are_answers_of_tiers_over_all_requests) {
  ReplayStats stats;
  stats.add_answer(LookupOutcome::kMiss, 10);
  stats.add_answer(LookupOutcome::kL1Hit, 1);
  stats.add_answer(LookupOutcome::kL2Hit, 2);
  stats.add_answer(LookupOutcome::kCoalesced, 9);
  stats.add_error("status_500");
  EXPECT_EQ(stats.requests(), 5U);
  EXPECT_EQ(stats.hits(), 2U);
  EXPECT_DOUBLE_EQ(stats.hit_ratio(), 0.4);
  EXPECT_EQ(stats.count(LookupOutcome::kCoalesced), 1U);
}

TEST(ReplayStatsTest, errors_are_counted_by_kind) {
  ReplayStats stats;
  stats.add_error("status_500");
  stats.add_error("connect");
  stats.add_error("status_500");
  EXPECT_EQ(stats.errors(), 3U);
  EXPECT_EQ(stats.errors_by_kind().at("status_500"), 2U);
}

TEST(ReplayStatsTest, latency_is_told_by_outcome) {
  ReplayStats stats;
  stats.add_answer(LookupOutcome::kL1Hit, 40);
  stats.add_answer(std::nullopt, 90);
  const auto latency = stats.latency_us();
  EXPECT_EQ(latency.size(), 2U);
  EXPECT_EQ(latency.at("l1_hit").p50, 40U);
  EXPECT_EQ(latency.at("no_cache_status").p50, 90U);
}

TEST(ReplayStatsTest, nothing_asked_is_no_ratio) {
  EXPECT_EQ(ReplayStats().hit_ratio(), 0.0);
}

}  // namespace
}  // namespace llm_edge_cache::app
