// Everything that a running proxy tells about itself, in the two forms in which it is asked for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/tiered_cache.hpp"
#include "proxy/credential_table.hpp"
#include "proxy/member_state.hpp"
#include "proxy/proxy_metrics.hpp"
#include "proxy/tenant_table.hpp"

namespace llm_edge_cache::observability {

// Read at one moment, as far as counters that others write can be.
struct CacheReport {
  std::string_view version;
  std::uint64_t uptime_ms = 0;
  std::size_t client_connections = 0;
  std::uint64_t io_sleeps = 0;  // of the threads that serve clients
  TierReport l1 = {};
  std::optional<TierReport> l2 = {};  // where it is configured
  FleetReport fleet = {};
  proxy::ProxyMetricsSnapshot proxy = {};
  std::vector<proxy::UpstreamMemberReport> upstreams = {};
  std::vector<proxy::TenantReport> tenants = {};
  proxy::CredentialReport credentials = {};
  std::uint64_t access_log_dropped = 0;
  std::uint64_t reloads = 0;  // of the configuration
  std::uint64_t failed_reloads = 0;
};

// Prometheus text. The names are a contract: tests/golden/metrics.txt.
[[nodiscard]] std::string metrics_text(const CacheReport& report);
// docs/metrics.md: every family that metrics_text() has.
[[nodiscard]] std::string metrics_markdown();

// One JSON object: version, uptime_ms, requests, outcomes {OUTCOME: n}, hit_ratio, tiers {l1, l2},
// upstream, tokens_saved {MODEL: n}, ...
[[nodiscard]] std::string stats_json(const CacheReport& report);

[[nodiscard]] std::string_view to_string(BreakerState state);

}  // namespace llm_edge_cache::observability
