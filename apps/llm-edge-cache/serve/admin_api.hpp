// The operator's listener: GET /healthz, /readyz, /metrics and /stats.
#pragma once

#include <functional>
#include <memory>
#include <utility>

#include "http/server.hpp"
#include "llm_edge_cache/health.hpp"
#include "observability/cache_report.hpp"

namespace llm_edge_cache::app {

struct AdminSources {
  // All are called on the admin listener's threads.
  std::function<observability::CacheReport()> report;
  std::function<bool()> is_draining;
  // Asks the tiers; the handler may be called on any thread.
  std::function<void(std::function<void(HealthStatus)>)> check;
};

// /healthz  200 while the process lives.
// /readyz   200 while it takes requests, 503 while it drains; JSON with the state of each tier. A
//           store that is down leaves the proxy ready: "degraded".
class AdminApi final : public http::Handler {
 public:
  explicit AdminApi(AdminSources sources) : sources_(std::move(sources)) {}

  void handle(std::shared_ptr<http::Exchange> exchange) override;

 private:
  void ready(std::shared_ptr<http::Exchange> exchange) const;

  const AdminSources sources_;
};

}  // namespace llm_edge_cache::app
