#include "tiers/common/atomic_counters.hpp"

namespace llm_edge_cache {

void AtomicCounters::add_error(ErrorCode code) {
  switch (code) {
    case ErrorCode::kCancelled:
      return;
    case ErrorCode::kUnavailable:
    case ErrorCode::kOverloaded:
      return add(errors_unavailable);
    case ErrorCode::kDeadlineExceeded:
      return add(errors_timeout);
    case ErrorCode::kCorruptData:
      return add(errors_corrupt);
    default:
      return add(errors_protocol);
  }
}

TierCounters AtomicCounters::snapshot() const {
  const auto read = [](const Count& count) { return count.load(std::memory_order_relaxed); };
  TierCounters result;
  result.hits = read(hits);
  result.misses = read(misses);
  result.writes = read(writes);
  result.removals = read(removals);
  result.evicted_for_size = read(evicted_for_size);
  result.evicted_expired = read(evicted_expired);
  result.errors_unavailable = read(errors_unavailable);
  result.errors_timeout = read(errors_timeout);
  result.errors_protocol = read(errors_protocol);
  result.errors_corrupt = read(errors_corrupt);
  result.dropped_writes = read(dropped_writes);
  return result;
}

}  // namespace llm_edge_cache
