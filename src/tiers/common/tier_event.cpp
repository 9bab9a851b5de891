#include "tiers/common/tier_event.hpp"

#include <utility>

namespace llm_edge_cache {

std::string_view to_string(TierEventKind kind) {
  switch (kind) {
    case TierEventKind::kConnected:
      return "connected";
    case TierEventKind::kConnectFailed:
      return "connect_failed";
    case TierEventKind::kConnectionLost:
      return "connection_lost";
    case TierEventKind::kCorruptEntry:
      return "corrupt_entry";
    case TierEventKind::kStoreError:
      return "store_error";
    case TierEventKind::kWriteDropped:
      return "write_dropped";
  }
  return "connected";
}

void TierEventLog::report(TierEventKind kind, std::string message, TimePoint now) {
  if (!sink_) return;
  TierEvent event{kind, std::move(message), 0};
  {
    const MutexLock lock(mutex_);
    Last& last = last_[static_cast<std::size_t>(kind)];
    if (last.told && now - last.at < kInterval) {
      ++last.suppressed;
      return;
    }
    event.suppressed = std::exchange(last.suppressed, 0);
    last.told = true;
    last.at = now;
  }
  sink_(event);
}

}  // namespace llm_edge_cache
