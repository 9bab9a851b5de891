// The caching reverse proxy, as a handler of an http::Server.
//
// A request goes: handle() here -> cache_flow (decisions) -> TieredCache (tiers). What no dialect
// caches is passed through.
//
// To end: server.stop(), then stop(), then the cache may go, then the threads.
#pragma once

#include <memory>
#include <vector>

#include "base/thread_annotations.hpp"
#include "core/tiered_cache.hpp"
#include "http/io_threads.hpp"
#include "http/server.hpp"
#include "llm_edge_cache/clock.hpp"
#include "proxy/proxy_metrics.hpp"
#include "proxy/proxy_options.hpp"
#include "proxy/proxy_services.hpp"

namespace llm_edge_cache::proxy {

struct KnownHead;

class Proxy final : public http::Handler {
 public:
  // Throws std::invalid_argument where the options are not valid. threads, which are also those of
  // the server, and cache must live as the order above says.
  Proxy(http::IoThreads& threads, TieredCache& cache, ClockPtr clock, ProxyOptions options);
  // stop().
  ~Proxy() override;

  void handle(std::shared_ptr<http::Exchange> exchange) override;

  // Requests that begin from now on find these rules and tenants (and what becomes of unknown
  // keys); those under way go on with the former. A tenant that was there keeps its counts and what
  // it has used of its limits. kInvalidArgument where the options are not valid; nothing has
  // changed then. What else they say is ignored. Not on an I/O thread.
  [[nodiscard]] Status reload(const ProxyOptions& options);

  // Gives up every call to the upstream and makes no new one. Idempotent; not on an I/O thread.
  void stop();

  // Thread-safe.
  [[nodiscard]] const ProxyMetrics& metrics() const { return services_->metrics; }
  // Thread-safe until stop() is called; in the order of the configuration.
  [[nodiscard]] std::vector<UpstreamMemberReport> upstreams() const;
  // Thread-safe; in the order of the configuration.
  [[nodiscard]] std::vector<TenantReport> tenants() const;
  // Thread-safe.
  [[nodiscard]] CredentialReport credentials() const { return services_->credentials.report(); }
  // For the server that this handles; the proxy must outlive it.
  [[nodiscard]] http::ErrorFormatter error_formatter() const;

 private:
  void answer_preflight(http::Exchange& exchange);
  // False where the request was refused, and answered.
  [[nodiscard]] bool let_in(http::Exchange& exchange, const KnownHead& known);

  http::IoThreads& threads_;
  const ServicesPtr services_;
  mutable Mutex mu_;
  PoliciesPtr policies_ LEC_GUARDED_BY(mu_);  // the newest
};

}  // namespace llm_edge_cache::proxy
