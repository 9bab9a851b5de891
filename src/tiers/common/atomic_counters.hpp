// What a tier that works on several threads counts.
#pragma once

#include <atomic>
#include <cstdint>

#include "core/tier.hpp"
#include "llm_edge_cache/result.hpp"

namespace llm_edge_cache {

// TierCounters, counted on any thread.
class AtomicCounters {
 public:
  using Count = std::atomic<std::uint64_t>;

  Count hits{0};
  Count misses{0};
  Count writes{0};
  Count removals{0};
  Count evicted_for_size{0};
  Count evicted_expired{0};
  Count errors_unavailable{0};
  Count errors_timeout{0};
  Count errors_protocol{0};
  Count errors_corrupt{0};
  Count dropped_writes{0};

  static void add(Count& count, std::uint64_t n = 1) {
    count.fetch_add(n, std::memory_order_relaxed);
  }
  // Cancelled operations are nobody's error.
  void add_error(ErrorCode code);
  [[nodiscard]] TierCounters snapshot() const;
};

}  // namespace llm_edge_cache
