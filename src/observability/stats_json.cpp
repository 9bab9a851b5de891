#include <nlohmann/json.hpp>

#include "observability/cache_report.hpp"

namespace llm_edge_cache::observability {

namespace {

using Json = nlohmann::ordered_json;

double ratio(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

Json tier_json(const TierReport& tier) {
  const auto& counters = tier.counters;
  return {
      {"hits", tier.lookups.hits},
      {"misses", tier.lookups.misses},
      {"hit_ratio", ratio(tier.lookups.hits, tier.lookups.hits + tier.lookups.misses)},
      {"writes", counters.writes},
      {"removals", counters.removals},
      {"entries", tier.gauges.entries},
      {"memory_bytes", tier.gauges.memory_bytes},
      {"evictions", {{"size", counters.evicted_for_size}, {"expired", counters.evicted_expired}}},
      {"errors",
       {{"unavailable", counters.errors_unavailable},
        {"timeout", counters.errors_timeout},
        {"protocol", counters.errors_protocol},
        {"corrupt", counters.errors_corrupt}}},
      {"pending_writes", tier.gauges.pending_writes},
      {"dropped_writes", counters.dropped_writes},
      {"breaker", to_string(tier.gauges.breaker)}};
}

Json upstream_json(const proxy::ProxyMetricsSnapshot& proxy) {
  Json calls = Json::object();
  for (std::size_t i = 0; i < proxy.upstream_calls.size(); ++i) {
    calls[std::string(to_string(static_cast<proxy::UpstreamResult>(i)))] = proxy.upstream_calls[i];
  }
  const auto mean = [](const proxy::HistogramSnapshot& snapshot) {
    return snapshot.count == 0 ? 0.0 : snapshot.sum_ms / static_cast<double>(snapshot.count);
  };
  return {{"requests", calls},
          {"mean_latency_ms", mean(proxy.upstream_latency)},
          {"mean_first_byte_ms", mean(proxy.upstream_time_to_first_byte)}};
}

Json fleet_json(const FleetReport& fleet) {
  return {{"channel_up", fleet.is_listening},
          {"channel_losses", fleet.losses},
          {"messages",
           {{"sent", fleet.sent},
            {"received", fleet.received},
            {"unreadable", fleet.unreadable},
            {"overflow", fleet.overflows}}},
          {"l1_drops", fleet.l1_drops},
          {"l1_clears", fleet.l1_clears},
          {"flights",
           {{"lease", fleet.leases},
            {"wait", fleet.waits},
            {"landed", fleet.waits_landed},
            {"takeover", fleet.takeovers},
            {"superseded", fleet.superseded}}}};
}

}  // namespace

std::string_view to_string(BreakerState state) {
  switch (state) {
    case BreakerState::kClosed:
      return "closed";
    case BreakerState::kHalfOpen:
      return "half_open";
    case BreakerState::kOpen:
      return "open";
  }
  return "open";
}

std::string stats_json(const CacheReport& report) {
  const auto& proxy = report.proxy;
  Json outcomes = Json::object();
  std::uint64_t hits = 0;
  for (std::size_t i = 0; i < proxy.requests.size(); ++i) {
    const auto outcome = static_cast<LookupOutcome>(i);
    outcomes[std::string(to_string(outcome))] = proxy.requests[i];
    const bool is_hit = outcome == LookupOutcome::kL1Hit || outcome == LookupOutcome::kL2Hit ||
                        outcome == LookupOutcome::kL3Hit || outcome == LookupOutcome::kStale;
    if (is_hit) hits += proxy.requests[i];
  }
  Json tiers = {{"l1", tier_json(report.l1)}};
  if (report.l2) {
    tiers["l2"] = tier_json(*report.l2);
    tiers["l2"].erase("entries");  // only a walk through the keys could tell
  }
  const Json json = {{"version", report.version},
                     {"uptime_ms", report.uptime_ms},
                     {"requests", proxy.requests_total},
                     {"hit_ratio", ratio(hits, proxy.requests_total)},
                     {"outcomes", outcomes},
                     {"stored_answers", proxy.stores},
                     {"own_errors", proxy.own_errors},
                     {"tiers", tiers},
                     {"fleet", fleet_json(report.fleet)},
                     {"upstream", upstream_json(proxy)},
                     {"tokens_saved", proxy.tokens_saved_by_model}};
  // A model's name is the provider's word: whatever its bytes, the rest must be told.
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace llm_edge_cache::observability
