// Floors under the hit ratio on the small reference traces: a change that makes the policy worse
// fails here. bench_hit_ratio measures all of them.

#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "bench/hit_ratio/trace_file.hpp"
#include "llm_edge_cache/engine/policy/tiny_lfu_policy.hpp"
#include "tests/unit/engine/policy/simulated_cache.hpp"

namespace llm_edge_cache::engine {
namespace {

struct Floor {
  std::string trace;
  std::uint64_t size;
  /// The better of Moka and Caffeine 3.2.4, less 2 points.
  double percent;
};

const std::vector<Floor> kFloors = {
    {"lirs_multi3", 500, 42.15},         {"lirs_multi3", 1000, 49.01},
    {"lirs_multi3", 2000, 58.64},        {"lirs_2_pools", 400, 49.54},
    {"lirs_2_pools", 1000, 52.48},       {"lirs_2_pools", 2500, 59.71},
    {"cache2k_web07", 500, 47.20},       {"cache2k_web07", 1000, 50.15},
    {"cache2k_web07", 2000, 53.85},      {"corda_vaultservice", 512, 28.41},
    {"corda_vaultservice", 8192, 19.38},
};

double hit_percent(const std::vector<std::uint64_t>& trace, std::uint64_t size) {
  testing::SimulatedCache<TinyLfuPolicy> cache({.bounds = {.max_entries = size}, .seed = 1});
  std::size_t hits = 0;
  for (const std::uint64_t key : trace) hits += cache.use(key) ? 1 : 0;
  return 100.0 * static_cast<double>(hits) / static_cast<double>(trace.size());
}

TEST(HitRatioFloorTest, stays_within_two_points_of_the_best_rival_on_small_traces) {
  const auto directory = bench::trace_directory(LEC_SOURCE_DIR);
  if (!directory) GTEST_SKIP() << "no traces: set LEC_TRACES to their directory";
  std::map<std::string, std::vector<std::uint64_t>> traces;
  for (const Floor& floor : kFloors) {
    auto& trace = traces[floor.trace];
    if (trace.empty()) trace = bench::read_trace(*directory / (floor.trace + ".txt.gz"));
    EXPECT_GE(hit_percent(trace, floor.size), floor.percent) << floor.trace << " " << floor.size;
  }
}

}  // namespace
}  // namespace llm_edge_cache::engine
