#include <algorithm>
#include <array>
#include <numeric>
#include <string_view>
#include <utility>
#include <vector>

#include "observability/cache_report.hpp"
#include "observability/prometheus_text.hpp"

namespace llm_edge_cache::observability {

namespace {

constexpr double kNsPerMs = 1e6;

struct NamedTier {
  std::string_view name;
  const TierReport* report;
};

std::vector<NamedTier> tiers_of(const CacheReport& report) {
  std::vector<NamedTier> tiers = {{"l1", &report.l1}};
  if (report.l2) tiers.push_back({"l2", &*report.l2});
  return tiers;
}

template <class Read>
void per_tier(PrometheusText::Family family, const std::vector<NamedTier>& tiers, Read read) {
  for (const auto& tier : tiers) {
    family.add({{"tier", tier.name}}, std::uint64_t{read(*tier.report)});
  }
}

void add_latency(PrometheusText::Family family, const std::vector<NamedTier>& tiers) {
  std::array<double, kLatencyBoundsNs.size()> bounds_ms{};
  std::ranges::transform(kLatencyBoundsNs, bounds_ms.begin(), [](std::uint64_t bound_ns) {
    return static_cast<double>(bound_ns) / kNsPerMs;
  });
  for (const auto& tier : tiers) {
    const auto& latency = tier.report->lookups.latency;
    family.add({{"tier", tier.name}},
               HistogramSample{.bounds = bounds_ms,
                               .counts = latency.buckets,
                               .sum = static_cast<double>(latency.sum_ns) / kNsPerMs});
  }
}

void add_lookups(PrometheusText& text, const std::vector<NamedTier>& tiers) {
  per_tier(text.counter("llm_edge_cache_hits_total", "Lookups that a tier answered."), tiers,
           [](const TierReport& tier) { return tier.lookups.hits; });
  per_tier(text.counter("llm_edge_cache_misses_total",
                        "Lookups that reached a tier and found nothing fresh."),
           tiers, [](const TierReport& tier) { return tier.lookups.misses; });
  per_tier(text.counter("llm_edge_cache_writes_total", "Entries written to a tier."), tiers,
           [](const TierReport& tier) { return tier.counters.writes; });
  add_latency(
      text.histogram("llm_edge_cache_latency_ms",
                     "Time that lookups took in a tier; of those in memory one in 16 is timed."),
      tiers);
}

void add_sizes(PrometheusText& text, const CacheReport& report,
               const std::vector<NamedTier>& tiers) {
  // Only a walk through the keys could count a shared store.
  text.gauge("llm_edge_cache_size_entries", "Entries held.")
      .add({{"tier", "l1"}}, report.l1.gauges.entries);
  per_tier(text.gauge("llm_edge_cache_memory_bytes", "Memory of this process that a tier holds."),
           tiers, [](const TierReport& tier) { return tier.gauges.memory_bytes; });
  auto evictions = text.counter("llm_edge_cache_evictions_total",
                                "Entries that a tier gave up by itself, by cause.");
  for (const auto& tier : tiers) {
    const auto& counters = tier.report->counters;
    evictions.add({{"tier", tier.name}, {"cause", "size"}}, counters.evicted_for_size)
        .add({{"tier", tier.name}, {"cause", "expired"}}, counters.evicted_expired);
  }
  per_tier(text.counter("llm_edge_cache_removals_total", "Entries removed on demand."), tiers,
           [](const TierReport& tier) { return tier.counters.removals; });
}

void add_faults(PrometheusText& text, const std::vector<NamedTier>& tiers) {
  auto errors = text.counter("llm_edge_cache_errors_total", "Failed operations of a tier.");
  for (const auto& tier : tiers) {
    const auto& counters = tier.report->counters;
    for (const auto& [kind, count] : {std::pair("unavailable", counters.errors_unavailable),
                                      std::pair("timeout", counters.errors_timeout),
                                      std::pair("protocol", counters.errors_protocol),
                                      std::pair("corrupt", counters.errors_corrupt)}) {
      errors.add({{"tier", tier.name}, {"kind", kind}}, count);
    }
  }
  auto breaker =
      text.gauge("llm_edge_cache_breaker_state", "Circuit breaker: 0 closed, 1 half-open, 2 open.");
  for (const auto& tier : tiers) {
    if (tier.name == "l1") continue;
    breaker.add({{"tier", tier.name}}, static_cast<std::uint64_t>(tier.report->gauges.breaker));
  }
  per_tier(text.gauge("llm_edge_cache_write_queue_entries", "Writes that wait."), tiers,
           [](const TierReport& tier) { return tier.gauges.pending_writes; });
  per_tier(text.gauge("llm_edge_cache_write_queue_bytes", "Bytes of writes that wait."), tiers,
           [](const TierReport& tier) { return tier.gauges.pending_bytes; });
  per_tier(text.counter("llm_edge_cache_dropped_writes_total", "Writes that were lost."), tiers,
           [](const TierReport& tier) { return tier.counters.dropped_writes; });
}

void add_fleet(PrometheusText& text, const FleetReport& fleet) {
  text.gauge("llm_edge_fleet_channel_up",
             "1 while other proxies on the same store are heard; 0 also where there is no channel.")
      .add({}, std::uint64_t{fleet.is_listening ? 1U : 0U});
  text.counter("llm_edge_fleet_channel_losses_total", "Times that the channel was lost.")
      .add({}, fleet.losses);
  text.counter("llm_edge_fleet_messages_total", "Messages of the channel.")
      .add({{"kind", "sent"}}, fleet.sent)
      .add({{"kind", "received"}}, fleet.received)
      .add({{"kind", "unreadable"}}, fleet.unreadable)
      .add({{"kind", "overflow"}}, fleet.overflows);
  text.counter("llm_edge_fleet_l1_drops_total",
               "Entries that memory let go of because another proxy changed them.")
      .add({}, fleet.l1_drops);
  text.counter("llm_edge_fleet_l1_clears_total",
               "Times that memory let go of everything: another proxy's clear, or a new channel.")
      .add({}, fleet.l1_clears);
  text.counter("llm_edge_fleet_flights_total", "Turns among the proxies, by what came of them.")
      .add({{"result", "lease"}}, fleet.leases)
      .add({{"result", "wait"}}, fleet.waits)
      .add({{"result", "landed"}}, fleet.waits_landed)
      .add({{"result", "takeover"}}, fleet.takeovers)
      .add({{"result", "superseded"}}, fleet.superseded);
}

void add_requests(PrometheusText& text, const CacheReport& report) {
  const auto& proxy = report.proxy;
  text.counter("llm_edge_requests_total", "Requests answered.").add({}, proxy.requests_total);
  auto outcomes =
      text.counter("llm_edge_cache_outcomes_total", "Requests by where their answer came from.");
  for (std::size_t i = 0; i < proxy.requests.size(); ++i) {
    outcomes.add({{"outcome", to_string(static_cast<LookupOutcome>(i))}}, proxy.requests[i]);
  }
  text.counter("llm_edge_cache_coalesced_total", "Requests that another request's call answered.")
      .add({}, proxy.requests[static_cast<std::size_t>(LookupOutcome::kCoalesced)]);
  text.counter("llm_edge_errors_total",
               "Errors of the proxy's own that clients got, but for HTTP's (408, 413, ..).")
      .add({}, proxy.own_errors);
  text.counter("llm_edge_cache_stored_answers_total",
               "Answers that were stored; of embeddings, elements.")
      .add({}, proxy.stores);
  auto refused = text.counter("llm_edge_cache_refused_answers_total",
                              "Answers that passed and were not stored, by reason.");
  for (std::size_t i = 0; i < proxy.store_refusals.size(); ++i) {
    refused.add({{"reason", to_string(static_cast<proxy::StoreRefusal>(i))}},
                proxy.store_refusals[i]);
  }
  auto saved = text.counter(
      "llm_edge_cache_tokens_saved_total",
      "Tokens of answers that cost no call, by model; \"other\" is beyond 64 of them.");
  for (const auto& [model, tokens] : proxy.tokens_saved_by_model) {
    saved.add({{"model", model}}, tokens);
  }
}

HistogramSample sample_of(const proxy::HistogramSnapshot& snapshot) {
  return {.bounds = proxy::kUpstreamBucketsMs, .counts = snapshot.counts, .sum = snapshot.sum_ms};
}

void add_upstream(PrometheusText& text, const proxy::ProxyMetricsSnapshot& proxy) {
  auto calls = text.counter("llm_edge_upstream_requests_total", "Calls to the provider, by end.");
  for (std::size_t i = 0; i < proxy.upstream_calls.size(); ++i) {
    calls.add({{"result", to_string(static_cast<proxy::UpstreamResult>(i))}},
              proxy.upstream_calls[i]);
  }
  text.histogram("llm_edge_upstream_latency_ms", "Call to the last byte of the answer.")
      .add({}, sample_of(proxy.upstream_latency));
  text.histogram("llm_edge_upstream_first_byte_ms",
                 "Call to the head of the answer: for a stream, its time to first token.")
      .add({}, sample_of(proxy.upstream_time_to_first_byte));
}

// By member: retries and failovers are attempts of their own.
void add_members(PrometheusText& text, const CacheReport& report) {
  auto attempts = text.counter("llm_edge_upstream_attempts_total",
                               "Attempts at an upstream, by what came of them.");
  for (const auto& member : report.upstreams) {
    for (std::size_t i = 0; i < member.attempts.size(); ++i) {
      attempts.add({{"upstream", member.group},
                    {"url", member.url},
                    {"result", to_string(static_cast<proxy::AttemptResult>(i))}},
                   member.attempts[i]);
    }
  }
  auto breaker = text.gauge("llm_edge_upstream_breaker_state",
                            "Circuit breaker of an upstream: 0 closed, 1 half-open, 2 open.");
  for (const auto& member : report.upstreams) {
    breaker.add({{"upstream", member.group}, {"url", member.url}},
                static_cast<std::uint64_t>(member.breaker));
  }
  auto first_byte = text.histogram("llm_edge_upstream_attempt_first_byte_ms",
                                   "Attempt to the head of its answer.");
  for (const auto& member : report.upstreams) {
    first_byte.add({{"upstream", member.group}, {"url", member.url}},
                   sample_of(member.time_to_first_byte));
  }
}

bool is_hit(LookupOutcome outcome) {
  return outcome != LookupOutcome::kMiss && outcome != LookupOutcome::kBypass;
}

// At most proxy::kMaxTenants of them.
void add_tenants(PrometheusText& text, const CacheReport& report) {
  auto requests = text.counter("llm_edge_tenant_requests_total",
                               "Requests of a tenant that were let in and answered.");
  for (const auto& tenant : report.tenants) {
    requests.add({{"tenant", tenant.name}},
                 std::accumulate(tenant.requests.begin(), tenant.requests.end(), std::uint64_t{0}));
  }
  auto hits = text.counter("llm_edge_tenant_hits_total",
                           "Requests of a tenant that a stored answer or another's call answered.");
  for (const auto& tenant : report.tenants) {
    std::uint64_t count = 0;
    for (std::size_t i = 0; i < tenant.requests.size(); ++i) {
      if (is_hit(static_cast<LookupOutcome>(i))) count += tenant.requests[i];
    }
    hits.add({{"tenant", tenant.name}}, count);
  }
  auto refused = text.counter("llm_edge_tenant_refused_total",
                              "Requests of a tenant that were over a limit, by limit.");
  for (const auto& tenant : report.tenants) {
    for (std::size_t i = 0; i < tenant.refused.size(); ++i) {
      refused.add(
          {{"tenant", tenant.name}, {"reason", to_string(static_cast<proxy::TenantRefusal>(i))}},
          tenant.refused[i]);
    }
  }
  auto concurrent =
      text.gauge("llm_edge_tenant_concurrent_requests", "Requests of a tenant under way.");
  for (const auto& tenant : report.tenants) {
    concurrent.add({{"tenant", tenant.name}}, tenant.concurrent);
  }
  text.counter("llm_edge_unknown_keys_total", "Requests refused for want of a gateway key.")
      .add({}, report.proxy.unknown_keys);
}

void add_credentials(PrometheusText& text, const proxy::CredentialReport& credentials) {
  text.gauge("llm_edge_credentials_known", "Credentials whose limits are kept count of.")
      .add({}, credentials.known);
  text.counter("llm_edge_credentials_shared_total",
               "Requests that shared a limit with others because the table was full.")
      .add({}, credentials.shared);
  auto refused = text.counter("llm_edge_credential_refused_total",
                              "Requests over a limit of their credential, by limit.");
  for (std::size_t i = 0; i < credentials.refused.size(); ++i) {
    refused.add({{"reason", to_string(static_cast<proxy::TenantRefusal>(i))}},
                credentials.refused[i]);
  }
}

void add_process(PrometheusText& text, const CacheReport& report) {
  text.gauge("llm_edge_flights_active", "Calls to the provider under way.")
      .add({}, report.proxy.flights_active);
  text.counter("llm_edge_followers_cut_total", "Clients cut because they read too slowly.")
      .add({}, report.proxy.followers_cut);
  text.gauge("llm_edge_client_connections", "Open connections of clients.")
      .add({}, std::uint64_t{report.client_connections});
  text.counter("llm_edge_io_sleeps_total",
               "Times that an I/O thread had nothing to do and slept; polling is to lower it.")
      .add({}, report.io_sleeps);
  text.counter("llm_edge_access_log_dropped_total", "Lines of the access log that were lost.")
      .add({}, report.access_log_dropped);
  text.counter("llm_edge_config_reloads_total", "Reloads of the configuration, by result.")
      .add({{"result", "ok"}}, report.reloads)
      .add({{"result", "error"}}, report.failed_reloads);
  text.gauge("llm_edge_uptime_seconds", "Time since the start.")
      .add({}, static_cast<double>(report.uptime_ms) / 1'000.0);
  text.gauge("llm_edge_build_info", "Always 1; the version is the label.")
      .add({{"version", report.version}}, std::uint64_t{1});
}

}  // namespace

std::string metrics_text(const CacheReport& report) {
  const auto tiers = tiers_of(report);
  PrometheusText text;
  add_lookups(text, tiers);
  add_sizes(text, report, tiers);
  add_faults(text, tiers);
  add_fleet(text, report.fleet);
  add_requests(text, report);
  add_upstream(text, report.proxy);
  add_members(text, report);
  add_tenants(text, report);
  add_credentials(text, report.credentials);
  add_process(text, report);
  return std::move(text).take();
}

}  // namespace llm_edge_cache::observability
