// What the parts of one tier share, whatever its store is.
#pragma once

#include <string>

#include "core/entry_format.hpp"
#include "llm_edge_cache/clock.hpp"
#include "llm_edge_cache/config.hpp"
#include "tiers/common/atomic_counters.hpp"
#include "tiers/common/budget.hpp"
#include "tiers/common/tier_event.hpp"

namespace llm_edge_cache {

// Thread-safe. Outlives every part that refers to it.
struct StoreContext {
  StoreContext(L2Config tier_config, EntryFormat entry_format, ClockPtr tier_clock,
               TierEventSink sink);

  const L2Config config;
  const EntryFormat format;  // as `config` has it
  const ClockPtr clock;
  AtomicCounters counters;
  TierEventLog events;
  Budget budget;  // of writes and removals that wait

  void tell(TierEventKind kind, std::string message);
  // Counts a write that will never reach the store.
  void count_dropped_write(std::string why);
};

}  // namespace llm_edge_cache
