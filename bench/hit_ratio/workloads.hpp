// Synthetic request sequences, each a shape that some cache policy is bad at. Deterministic.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace llm_edge_cache::bench {

using Keys = std::vector<std::uint64_t>;

struct Workload {
  std::string name;
  Keys keys;
};

/// Keys 0..keys-1, key k with probability proportional to 1 / (k + 1)^exponent. Every
/// `drift_every` requests the popular end moves on by one key; 0: never.
struct Zipf {
  double exponent = 0.9;
  std::uint64_t keys = 20'000;
  std::uint64_t drift_every = 0;
};

[[nodiscard]] Keys zipf(const Zipf& shape, std::size_t requests, std::uint64_t seed);

/// Again and again 0..keys-1 in order.
[[nodiscard]] Keys loop(std::uint64_t keys, std::size_t requests);

/// Half a Zipf, half keys that never come again.
[[nodiscard]] Keys one_hit_wonders(const Zipf& shape, std::size_t requests, std::uint64_t seed);

/// A Zipf interrupted by sequential scans of `scan_keys` keys that are as long as what they
/// interrupt.
[[nodiscard]] Keys scans(const Zipf& shape, std::uint64_t scan_keys, std::size_t requests,
                         std::uint64_t seed);

/// Each key is used `uses` times within about `distance` requests and never again: all recency.
[[nodiscard]] Keys short_lives(std::uint64_t uses, std::uint64_t distance, std::size_t requests,
                               std::uint64_t seed);

/// One workload after the other, on keys of their own.
[[nodiscard]] Keys phases(const std::vector<Keys>& parts);

/// One of each, for a cache of about `capacity` entries.
[[nodiscard]] std::vector<Workload> standard_workloads(std::uint64_t capacity, std::uint64_t seed);

}  // namespace llm_edge_cache::bench
