#include "core/lookup_stats.hpp"

namespace llm_edge_cache {
namespace {

// Linear: the lookups that are many are short.
std::size_t bucket_of(std::uint64_t latency_ns) {
  std::size_t bucket = 0;
  while (bucket < kLatencyBoundsNs.size() && latency_ns > kLatencyBoundsNs[bucket]) ++bucket;
  return bucket;
}

}  // namespace

void LookupStats::record(TierAnswer answer, std::optional<std::chrono::nanoseconds> latency) {
  slots_.write([&](Counters& mine, bool shared) {
    if (answer == TierAnswer::kHit) mine.hits.add(1, shared);
    if (answer == TierAnswer::kStale) mine.stale.add(1, shared);
    if (answer == TierAnswer::kStale || answer == TierAnswer::kNothing) mine.misses.add(1, shared);
    if (!latency) return;
    const auto latency_ns = static_cast<std::uint64_t>(latency->count());
    mine.latency_sum_ns.add(latency_ns, shared);
    mine.buckets[bucket_of(latency_ns)].add(1, shared);
  });
}

LookupTotals LookupStats::totals() const {
  LookupTotals totals;
  slots_.for_each([&](const Counters& one) {
    totals.hits += one.hits.value();
    totals.stale += one.stale.value();
    totals.misses += one.misses.value();
    totals.latency.sum_ns += one.latency_sum_ns.value();
    for (std::size_t i = 0; i < one.buckets.size(); ++i) {
      totals.latency.buckets[i] += one.buckets[i].value();
      totals.latency.count += one.buckets[i].value();
    }
  });
  return totals;
}

}  // namespace llm_edge_cache
