// What the operations of one Redis tier share.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

#include "base/key_digest.hpp"
#include "core/tier.hpp"
#include "llm_edge_cache/clock.hpp"
#include "llm_edge_cache/config.hpp"
#include "tiers/redis/budget.hpp"
#include "tiers/redis/tier_event.hpp"

namespace llm_edge_cache::redis {

// TierCounters, counted on any thread.
class AtomicCounters {
 public:
  using Count = std::atomic<std::uint64_t>;

  Count hits{0};
  Count misses{0};
  Count writes{0};
  Count removals{0};
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

// Thread-safe. Outlives every operation that refers to it.
struct TierContext {
  TierContext(L2Config tier_config, ClockPtr tier_clock, TierEventSink sink)
      : config(std::move(tier_config)),
        clock(std::move(tier_clock)),
        events(std::move(sink)),
        budget({config.max_pending_writes, config.max_pending_bytes}) {}

  const L2Config config;
  const ClockPtr clock;
  AtomicCounters counters;
  TierEventLog events;
  Budget budget;
  // Deletes what does not verify; set before the first operation.
  std::function<void(const KeyDigest&)> discard;

  [[nodiscard]] std::string stored_key(const KeyDigest& key) const {
    return config.key_prefix + to_hex(key);
  }
  // Counts an operation's failure, and tells of a server that answers with errors.
  void count_failure(const Error& error);
  // Counts a write that will never reach the server.
  void count_dropped_write(std::string why);
};

}  // namespace llm_edge_cache::redis
