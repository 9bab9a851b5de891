// What the lookups of one tier came to, and how long they took.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "core/thread_slots.hpp"

namespace llm_edge_cache {

// Upper bounds of the latency histogram in nanoseconds: 0.001 ms to 1 s. A last bucket holds what
// is longer.
inline constexpr std::array<std::uint64_t, 19> kLatencyBoundsNs = {
    1'000,      2'500,       5'000,       10'000,      25'000,       50'000,     100'000,
    250'000,    500'000,     1'000'000,   2'500'000,   5'000'000,    10'000'000, 25'000'000,
    50'000'000, 100'000'000, 250'000'000, 500'000'000, 1'000'000'000};

struct LatencyHistogram {
  // Observations per bucket, not cumulative; bucket i is at most kLatencyBoundsNs[i].
  std::array<std::uint64_t, kLatencyBoundsNs.size() + 1> buckets{};
  std::uint64_t count = 0;
  std::uint64_t sum_ns = 0;
};

struct LookupTotals {
  std::uint64_t hits = 0;    // a fresh entry
  std::uint64_t stale = 0;   // an entry past its expiry that may still be served; no hit
  std::uint64_t misses = 0;  // nothing usable; the stale ones are among them
  // Of all lookups that were timed, failures included.
  LatencyHistogram latency;
};

enum class TierAnswer { kHit, kStale, kNothing, kFailed };

// Whether the calling thread times its lookup of memory: its first and then one of 16. Looking at
// the clock twice takes as long as such a lookup.
[[nodiscard]] inline bool is_turn_to_time() {
  thread_local std::uint32_t lookups = 0;
  return lookups++ % 16 == 0;
}

// Threads: any.
class LookupStats {
 public:
  // latency: empty where the lookup was not timed.
  void record(TierAnswer answer, std::optional<std::chrono::nanoseconds> latency);
  // Counts of a moment while others write: each is exact, their sum may be a few lookups apart.
  [[nodiscard]] LookupTotals totals() const;

 private:
  struct Counters {
    SlotCounter hits;
    SlotCounter stale;
    SlotCounter misses;
    SlotCounter latency_sum_ns;
    std::array<SlotCounter, kLatencyBoundsNs.size() + 1> buckets;
  };
  ThreadSlots<Counters> slots_;
};

}  // namespace llm_edge_cache
