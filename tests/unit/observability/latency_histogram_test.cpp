#include "observability/latency_histogram.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace llm_edge_cache::observability {
namespace {

TEST(LatencyHistogramTest, bounds_start_at_a_microsecond_and_rise) {
  EXPECT_EQ(kLatencyBoundsNs.front(), 1'000U);
  EXPECT_TRUE(std::is_sorted(kLatencyBoundsNs.begin(), kLatencyBoundsNs.end()));
}

TEST(LatencyHistogramTest, a_bound_belongs_to_its_own_bucket) {
  LatencyHistogram histogram;
  histogram.record_ns(0);
  histogram.record_ns(1'000);
  histogram.record_ns(1'001);
  const auto snapshot = histogram.snapshot();
  EXPECT_EQ(snapshot.counts[0], 2U);
  EXPECT_EQ(snapshot.counts[1], 1U);
}

TEST(LatencyHistogramTest, what_is_over_every_bound_is_counted_last) {
  LatencyHistogram histogram;
  histogram.record_ns(kLatencyBoundsNs.back() + 1);
  EXPECT_EQ(histogram.snapshot().counts.back(), 1U);
}

TEST(LatencyHistogramTest, sums_durations_and_counts) {
  LatencyHistogram histogram;
  for (std::uint64_t ns : {5U, 500'000U, 7U}) histogram.record_ns(ns);
  EXPECT_EQ(histogram.snapshot().sum_ns, 500'012U);
  EXPECT_EQ(histogram.snapshot().total(), 3U);
}

}  // namespace
}  // namespace llm_edge_cache::observability
