#include "tiers/common/store_context.hpp"

#include <chrono>
#include <utility>

namespace llm_edge_cache {

StoreContext::StoreContext(L2Config tier_config, EntryFormat entry_format, ClockPtr tier_clock,
                           TierEventSink sink)
    : config(std::move(tier_config)),
      format(std::move(entry_format)),
      clock(std::move(tier_clock)),
      events(std::move(sink)),
      budget({config.max_pending_writes, config.max_pending_bytes}) {}

void StoreContext::tell(TierEventKind kind, std::string message) {
  events.report(kind, std::move(message), std::chrono::steady_clock::now());
}

void StoreContext::count_dropped_write(std::string why) {
  AtomicCounters::add(counters.dropped_writes);
  tell(TierEventKind::kWriteDropped, std::move(why));
}

}  // namespace llm_edge_cache
