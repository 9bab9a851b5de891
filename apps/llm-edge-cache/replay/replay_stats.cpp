#include "replay/replay_stats.hpp"

#include <algorithm>
#include <cmath>

namespace llm_edge_cache::app {

LatencyPercentiles percentiles(std::vector<std::uint32_t> latencies_us) {
  if (latencies_us.empty()) return {};
  std::ranges::sort(latencies_us);
  const auto at = [&](double share) {
    const auto rank = std::ceil(share * static_cast<double>(latencies_us.size()));
    return latencies_us[static_cast<std::size_t>(rank) - 1];
  };
  return {.count = latencies_us.size(),
          .p50 = at(0.50),
          .p90 = at(0.90),
          .p99 = at(0.99),
          .max = latencies_us.back()};
}

bool is_hit(LookupOutcome outcome) {
  switch (outcome) {
    case LookupOutcome::kL1Hit:
    case LookupOutcome::kL2Hit:
    case LookupOutcome::kL3Hit:
    case LookupOutcome::kStale:
      return true;
    case LookupOutcome::kCoalesced:
    case LookupOutcome::kMiss:
    case LookupOutcome::kBypass:
      return false;
  }
  return false;
}

void ReplayStats::add_answer(std::optional<LookupOutcome> outcome, std::uint32_t latency_us) {
  latencies_us_[outcome ? static_cast<std::size_t>(*outcome) : kUnknown].push_back(latency_us);
  ++answers_;
}

void ReplayStats::add_error(const std::string& kind) {
  ++errors_;
  ++errors_by_kind_[kind];
}

std::size_t ReplayStats::count(LookupOutcome outcome) const {
  return latencies_us_[static_cast<std::size_t>(outcome)].size();
}

std::size_t ReplayStats::hits() const {
  std::size_t sum = 0;
  for (std::size_t i = 0; i < kOutcomes; ++i) {
    if (is_hit(static_cast<LookupOutcome>(i))) sum += latencies_us_[i].size();
  }
  return sum;
}

double ReplayStats::hit_ratio() const {
  return requests() == 0 ? 0 : static_cast<double>(hits()) / static_cast<double>(requests());
}

std::map<std::string, LatencyPercentiles> ReplayStats::latency_us() const {
  std::map<std::string, LatencyPercentiles> by_outcome;
  for (std::size_t i = 0; i <= kOutcomes; ++i) {
    if (latencies_us_[i].empty()) continue;
    const auto name = i == kUnknown ? std::string("no_cache_status")
                                    : std::string(to_string(static_cast<LookupOutcome>(i)));
    by_outcome.emplace(name, percentiles(latencies_us_[i]));
  }
  return by_outcome;
}

}  // namespace llm_edge_cache::app
