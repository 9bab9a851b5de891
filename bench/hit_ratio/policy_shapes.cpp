// The adaptive policy beside each fixed strategy on synthetic workloads.
//   bench_policy_shapes [CAPACITY [SEED]]
// Prints a Markdown table of hit ratios in percent, the last column ours minus the best fixed one.

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <optional>

#include "llm_edge_cache/engine/policy/tiny_lfu_policy.hpp"
#include "tests/unit/engine/policy/simulated_cache.hpp"
#include "workloads.hpp"

namespace {

using namespace llm_edge_cache;
using Cache = engine::testing::SimulatedCache<engine::TinyLfuPolicy>;

double hit_percent(const bench::Keys& keys, std::uint64_t capacity,
                   std::optional<std::uint32_t> strategy) {
  Cache cache({.bounds = {.max_entries = capacity}, .seed = 1, .fixed_strategy = strategy});
  std::size_t hits = 0;
  for (const std::uint64_t key : keys) hits += cache.use(key) ? 1 : 0;
  return 100.0 * static_cast<double>(hits) / static_cast<double>(keys.size());
}

void print_header() {
  std::printf("| workload | adaptive |");
  for (const auto& s : engine::kStrategies) {
    std::printf(" %g%% %s |", 100 * s.window, s.victim_credit == 0 ? "seen" : "lfu");
  }
  std::printf(" ours - best |\n|---|--:|");
  for (std::uint32_t s = 0; s < engine::kStrategyCount; ++s) std::printf("--:|");
  std::printf("--:|\n");
}

void print_row(const bench::Workload& workload, std::uint64_t capacity) {
  const double ours = hit_percent(workload.keys, capacity, std::nullopt);
  std::printf("| %s | %.2f |", workload.name.c_str(), ours);
  double best = 0;
  for (std::uint32_t s = 0; s < engine::kStrategyCount; ++s) {
    const double fixed = hit_percent(workload.keys, capacity, s);
    best = std::max(best, fixed);
    std::printf(" %.2f |", fixed);
  }
  std::printf(" %.2f |\n", ours - best);
}

}  // namespace

int main(int argc, char** argv) {
  const std::uint64_t capacity = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 1000;
  const std::uint64_t seed = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 1;
  if (capacity < 4 || capacity > 1'000'000) {
    std::fprintf(stderr, "bench_policy_shapes: the capacity must be from 4 to 1000000\n");
    return 2;
  }
  print_header();
  for (const auto& workload : bench::standard_workloads(capacity, seed)) {
    print_row(workload, capacity);
  }
  return 0;
}
