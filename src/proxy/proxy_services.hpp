// What every request of the proxy uses.
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "core/tiered_cache.hpp"
#include "http/io_threads.hpp"
#include "llm_edge_cache/clock.hpp"
#include "proxy/adapted_answers.hpp"
#include "proxy/credential_table.hpp"
#include "proxy/dialects/dialects.hpp"
#include "proxy/flight_table.hpp"
#include "proxy/proxy_metrics.hpp"
#include "proxy/proxy_options.hpp"
#include "proxy/proxy_policies.hpp"
#include "proxy/refresh_pacer.hpp"
#include "proxy/upstream_client.hpp"

namespace llm_edge_cache::proxy {

// Shared by the proxy and by the requests under way, which may outlive it by a call-back.
// Everything but is_stopping and client is safe from every thread.
// NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding): in the order of construction
struct ProxyServices {
  // Throws std::invalid_argument where the options are not valid.
  ProxyServices(http::IoThreads& threads, TieredCache& tiers, ClockPtr time, ProxyOptions given);

  // Those of the requests that begin now; on an I/O thread of the proxy's.
  [[nodiscard]] const PoliciesPtr& policies() const {
    return policies_of_thread[http::IoThread::current()->index()];
  }

  const ProxyOptions options;
  TieredCache& cache;
  const ClockPtr clock;
  const Dialects dialects = {};
  const UpstreamTable upstreams;
  std::vector<PoliciesPtr> policies_of_thread;  // each written and read on its own thread alone
  AdaptedAnswers adapted;
  FlightTable flights;
  RefreshPacer refreshes;
  CredentialTable credentials;
  ProxyMetrics metrics;

  // Used on I/O threads while is_stopping is false; gone after that.
  std::unique_ptr<UpstreamClient> client;
  std::atomic<bool> is_stopping = false;
};

using ServicesPtr = std::shared_ptr<ProxyServices>;

}  // namespace llm_edge_cache::proxy
