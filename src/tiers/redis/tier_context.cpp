#include "tiers/redis/tier_context.hpp"

namespace llm_edge_cache::redis {

void TierContext::count_failure(const Error& error) {
  counters.add_error(error.code);
  if (error.code == ErrorCode::kProtocol) {
    events.report(TierEventKind::kStoreError, error.message, std::chrono::steady_clock::now());
  }
}

void TierContext::count_dropped_write(std::string why) {
  AtomicCounters::add(counters.dropped_writes);
  events.report(TierEventKind::kWriteDropped, std::move(why), std::chrono::steady_clock::now());
}

}  // namespace llm_edge_cache::redis
