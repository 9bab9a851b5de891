// The caching reverse proxy, as a handler of an http::Server.
//
// A request goes: handle() here -> cache_flow (decisions) -> TieredCache (tiers). What no dialect
// caches is passed through.
//
// To end: server.stop(), then stop(), then the cache may go, then the threads.
#pragma once

#include <memory>
#include <vector>

#include "core/tiered_cache.hpp"
#include "http/io_threads.hpp"
#include "http/server.hpp"
#include "llm_edge_cache/clock.hpp"
#include "proxy/proxy_metrics.hpp"
#include "proxy/proxy_options.hpp"
#include "proxy/proxy_services.hpp"

namespace llm_edge_cache::proxy {

class Proxy final : public http::Handler {
 public:
  // Throws std::invalid_argument where the options are not valid. threads, which are also those of
  // the server, and cache must live as the order above says.
  Proxy(http::IoThreads& threads, TieredCache& cache, ClockPtr clock, ProxyOptions options);
  // stop().
  ~Proxy() override;

  void handle(std::shared_ptr<http::Exchange> exchange) override;

  // Gives up every call to the upstream and makes no new one. Idempotent; not on an I/O thread.
  void stop();

  // Thread-safe.
  [[nodiscard]] const ProxyMetrics& metrics() const { return services_->metrics; }
  // Thread-safe until stop() is called; in the order of the configuration.
  [[nodiscard]] std::vector<UpstreamMemberReport> upstreams() const;
  // For the server that this handles; the proxy must outlive it.
  [[nodiscard]] http::ErrorFormatter error_formatter() const;

 private:
  http::IoThreads& threads_;
  const ServicesPtr services_;
};

}  // namespace llm_edge_cache::proxy
