#include "observability/latency_histogram.hpp"

#include <algorithm>
#include <numeric>

namespace llm_edge_cache::observability {

std::uint64_t LatencySnapshot::total() const {
  return std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
}

void LatencyHistogram::record_ns(std::uint64_t duration_ns) {
  const auto bound =
      std::lower_bound(kLatencyBoundsNs.begin(), kLatencyBoundsNs.end(), duration_ns);
  counters_.add(static_cast<std::size_t>(bound - kLatencyBoundsNs.begin()), 1);
  counters_.add(kSum, duration_ns);
}

LatencySnapshot LatencyHistogram::snapshot() const {
  LatencySnapshot snapshot;
  for (std::size_t i = 0; i < snapshot.counts.size(); ++i) snapshot.counts[i] = counters_.read(i);
  snapshot.sum_ns = counters_.read(kSum);
  return snapshot;
}

}  // namespace llm_edge_cache::observability
