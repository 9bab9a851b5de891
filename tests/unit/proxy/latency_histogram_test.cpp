#include "proxy/latency_histogram.hpp"

#include <gtest/gtest.h>

namespace llm_edge_cache::proxy {
namespace {

using namespace std::chrono_literals;

TEST(LatencyHistogramTest, a_bound_belongs_to_its_bucket) {
  LatencyHistogram histogram;
  histogram.observe(1ms);
  histogram.observe(1ms + 1ns);
  const auto snapshot = histogram.snapshot();
  EXPECT_EQ(snapshot.counts[0], 1U);
  EXPECT_EQ(snapshot.counts[1], 1U);
}

TEST(LatencyHistogramTest, what_is_over_every_bound_goes_to_the_last_bucket) {
  LatencyHistogram histogram;
  histogram.observe(10min);
  EXPECT_EQ(histogram.snapshot().counts.back(), 1U);
}

TEST(LatencyHistogramTest, knows_count_and_sum) {
  LatencyHistogram histogram;
  histogram.observe(2ms);
  histogram.observe(500us);
  EXPECT_EQ(histogram.snapshot().count, 2U);
  EXPECT_DOUBLE_EQ(histogram.snapshot().sum_ms, 2.5);
}

}  // namespace
}  // namespace llm_edge_cache::proxy
