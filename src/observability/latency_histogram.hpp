// A histogram of durations for hot paths; exported as milliseconds.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "observability/counter_set.hpp"

namespace llm_edge_cache::observability {

// Upper bounds, inclusive: 1, 2.5 and 5 of every decade from a microsecond to a minute, so that a
// hit in memory and a slow provider share one table.
inline constexpr std::array<std::uint64_t, 24> kLatencyBoundsNs = {
    1'000,         2'500,         5'000,         10'000,         25'000,         50'000,
    100'000,       250'000,       500'000,       1'000'000,      2'500'000,      5'000'000,
    10'000'000,    25'000'000,    50'000'000,    100'000'000,    250'000'000,    500'000'000,
    1'000'000'000, 2'500'000'000, 5'000'000'000, 10'000'000'000, 30'000'000'000, 60'000'000'000};

struct LatencySnapshot {
  // Not cumulative; the last is of durations over every bound.
  std::array<std::uint64_t, kLatencyBoundsNs.size() + 1> counts{};
  std::uint64_t sum_ns = 0;

  [[nodiscard]] std::uint64_t total() const;
};

// Thread-safe; a record writes two words of the thread's own lines.
class LatencyHistogram {
 public:
  void record_ns(std::uint64_t duration_ns);
  [[nodiscard]] LatencySnapshot snapshot() const;

 private:
  static constexpr std::size_t kSum = kLatencyBoundsNs.size() + 1;
  SlottedCounters<kSum + 1> counters_;
};

}  // namespace llm_edge_cache::observability
