#include "tiers/redis/tier_context.hpp"

namespace llm_edge_cache::redis {

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
  result.errors_unavailable = read(errors_unavailable);
  result.errors_timeout = read(errors_timeout);
  result.errors_protocol = read(errors_protocol);
  result.errors_corrupt = read(errors_corrupt);
  result.dropped_writes = read(dropped_writes);
  return result;
}

void TierContext::count_failure(const Error& error) {
  counters.add_error(error.code);
  if (error.code == ErrorCode::kProtocol) {
    events.report(TierEventKind::kServerError, error.message, std::chrono::steady_clock::now());
  }
}

void TierContext::count_dropped_write(std::string why) {
  AtomicCounters::add(counters.dropped_writes);
  events.report(TierEventKind::kWriteDropped, std::move(why), std::chrono::steady_clock::now());
}

}  // namespace llm_edge_cache::redis
