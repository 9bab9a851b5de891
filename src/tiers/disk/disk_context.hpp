// What the parts of one disk tier share.
#pragma once

#include <chrono>
#include <string>
#include <utility>

#include "base/key_digest.hpp"
#include "core/entry.hpp"
#include "core/entry_format.hpp"
#include "llm_edge_cache/clock.hpp"
#include "llm_edge_cache/config.hpp"
#include "tiers/common/atomic_counters.hpp"
#include "tiers/common/budget.hpp"
#include "tiers/common/tier_event.hpp"
#include "tiers/disk/deadlines.hpp"
#include "tiers/disk/removal_mask.hpp"

namespace llm_edge_cache::disk {

// Thread-safe. Outlives every part that refers to it.
struct DiskContext {
  DiskContext(L2Config tier_config, EntryFormat entry_format, ClockPtr tier_clock,
              TierEventSink sink)
      : config(std::move(tier_config)),
        format(std::move(entry_format)),
        clock(std::move(tier_clock)),
        events(std::move(sink)),
        budget({config.max_pending_writes, config.max_pending_bytes}) {}

  const L2Config config;
  const EntryFormat format;  // as `config` has it
  const ClockPtr clock;
  AtomicCounters counters;
  TierEventLog events;
  Budget budget;  // of writes and removals that wait
  RemovalMask mask;
  Deadlines deadlines;

  void tell(TierEventKind kind, std::string message) {
    events.report(kind, std::move(message), std::chrono::steady_clock::now());
  }
  void count_dropped_write(std::string why) {
    AtomicCounters::add(counters.dropped_writes);
    tell(TierEventKind::kWriteDropped, std::move(why));
  }
  // When the tier lets go of the entry, at its own end at the latest.
  [[nodiscard]] UnixMillis end_of(const Entry& entry) const {
    if (entry.outlives_ttl) return entry.end_ms();
    const UnixMillis now_ms = clock->now_ms();
    const auto life_ms =
        static_cast<std::uint64_t>(std::max<UnixMillis>(0, entry.end_ms() - now_ms));
    return now_ms + static_cast<UnixMillis>(std::min(life_ms, config.ttl_ms));
  }
};

}  // namespace llm_edge_cache::disk
