// Counters of a manager since it was made.
#pragma once

#include <cstdint>

namespace llm_edge_cache {

struct TierMetrics {
  std::uint64_t hits = 0;
  std::uint64_t misses = 0;  // lookups that reached the tier and found nothing usable
  std::uint64_t writes = 0;
  std::uint64_t errors = 0;          // failed or timed-out operations
  std::uint64_t dropped_writes = 0;  // lost to a full queue, an open breaker or a failed send

  // Hits over lookups of this tier, 0 where there were none.
  [[nodiscard]] double hit_rate() const {
    const auto lookups = hits + misses;
    return lookups == 0 ? 0.0 : static_cast<double>(hits) / static_cast<double>(lookups);
  }
};

struct MetricsSnapshot {
  TierMetrics l1;
  TierMetrics l2;
  TierMetrics l3;
  std::uint64_t total_requests = 0;  // lookups

  // Lookups answered by any tier over all lookups, 0 where there were none.
  [[nodiscard]] double overall_hit_rate() const {
    return total_requests == 0 ? 0.0
                               : static_cast<double>(l1.hits + l2.hits + l3.hits) /
                                     static_cast<double>(total_requests);
  }
};

}  // namespace llm_edge_cache
