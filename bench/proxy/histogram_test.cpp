#include "bench/proxy/histogram.hpp"

#include <gtest/gtest.h>

#include <cstdint>

namespace llm_edge_cache::bench {
namespace {

TEST(HistogramTest, is_zero_when_empty) {
  EXPECT_EQ(Histogram().percentile_us(50), 0);
}

TEST(HistogramTest, tells_percentiles_to_one_part_in_64) {
  Histogram times;
  for (std::uint64_t us = 1; us <= 1'000; ++us) times.add(us * 1'000);
  EXPECT_EQ(times.count(), 1'000u);
  EXPECT_NEAR(times.percentile_us(50), 500, 500 / 64.0);
  EXPECT_NEAR(times.percentile_us(99), 990, 990 / 64.0);
  EXPECT_NEAR(times.percentile_us(100), 1'000, 1'000 / 64.0);
}

TEST(HistogramTest, never_tells_less_than_was_counted) {
  for (std::uint64_t bit = 0; bit < 64; ++bit) {
    for (const std::uint64_t time : {std::uint64_t{1} << bit, (std::uint64_t{2} << bit) - 1}) {
      Histogram times;
      times.add(time);
      const double us = static_cast<double>(time) / 1e3;
      EXPECT_GE(times.percentile_us(50), us) << time;
      EXPECT_LE(times.percentile_us(50), us * (1 + 1 / 64.0)) << time;
    }
  }
}

}  // namespace
}  // namespace llm_edge_cache::bench
