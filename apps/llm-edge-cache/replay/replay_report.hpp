// A replay's result as people and scripts read it.
#pragma once

#include <cstdint>
#include <string>

#include "replay/replay_stats.hpp"

namespace llm_edge_cache::app {

// One JSON object: requests, errors, errors_by_kind, mismatches, duration_ms, requests_per_second,
// hits, hit_ratio, hits_by_tier {l1, l2, l3}, coalesced, stale, misses, bypassed,
// latency_us {OUTCOME: {count, p50, p90, p99, max}}, tokens_saved.
[[nodiscard]] std::string replay_json(const ReplayStats& stats, std::uint64_t duration_ms);

[[nodiscard]] std::string replay_table(const ReplayStats& stats, std::uint64_t duration_ms);

}  // namespace llm_edge_cache::app
