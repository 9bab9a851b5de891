// The hit ratio of L1's engine on a trace of keys.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "llm_edge_cache/result.hpp"

namespace llm_edge_cache::app {

// Keys numbered by first appearance, in the order of the trace.
using KeyTrace = std::vector<std::uint32_t>;

// One key a line, any text; plain or gzip. The distinct keys are held in memory while it is read.
[[nodiscard]] Result<KeyTrace> read_trace(const std::string& path);

enum class SimulatedPolicy { kTinyLfu, kLru };

struct SimulationResult {
  std::uint64_t capacity = 0;
  std::uint64_t requests = 0;
  std::uint64_t hits = 0;

  [[nodiscard]] double hit_ratio() const {
    return requests == 0 ? 0 : static_cast<double>(hits) / static_cast<double>(requests);
  }
};

// Drives the real engine on the calling thread, maintenance inline: a get for each key, and a put
// where it misses. The same trace gives the same result.
[[nodiscard]] SimulationResult simulate(const KeyTrace& trace, std::uint64_t capacity,
                                        SimulatedPolicy policy);

// A JSON array of {capacity, requests, hits, hit_ratio}.
[[nodiscard]] std::string simulation_json(const std::vector<SimulationResult>& results);

}  // namespace llm_edge_cache::app
