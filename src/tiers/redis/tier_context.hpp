// What the operations of one Redis tier share.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include "base/key_digest.hpp"
#include "core/entry_format.hpp"
#include "llm_edge_cache/clock.hpp"
#include "llm_edge_cache/config.hpp"
#include "tiers/common/atomic_counters.hpp"
#include "tiers/common/budget.hpp"
#include "tiers/common/tier_event.hpp"
#include "tiers/redis/change_observer.hpp"
#include "tiers/redis/key_slot.hpp"

namespace llm_edge_cache::redis {

// Thread-safe. Outlives every operation that refers to it.
struct TierContext {
  TierContext(L2Config tier_config, EntryFormat entry_format, ClockPtr tier_clock,
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
  Budget budget;
  std::atomic<std::size_t> lookups{0};  // that wait for an answer
  // Deletes what does not verify; set before the first operation.
  std::function<void(const KeyDigest&)> discard;
  // Set before the first operation, or never.
  ChangeObserver* changes = nullptr;

  [[nodiscard]] std::string stored_key(const KeyDigest& key) const {
    return config.key_prefix + to_hex(key);
  }
  [[nodiscard]] std::uint16_t slot(const KeyDigest& key) const { return key_slot(stored_key(key)); }
  void tell_changed(const KeyDigest& key) const {
    if (changes != nullptr) changes->on_changed(key);
  }
  // Counts an operation's failure, and tells of a server that answers with errors.
  void count_failure(const Error& error);
  // Counts a write that will never reach the server.
  void count_dropped_write(std::string why);
};

}  // namespace llm_edge_cache::redis
