// The operator's listener: health, metrics, and what changes or shows the cache.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "core/tiered_cache.hpp"
#include "http/server.hpp"
#include "llm_edge_cache/clock.hpp"
#include "llm_edge_cache/health.hpp"
#include "observability/cache_report.hpp"
#include "serve/admin_access.hpp"

namespace llm_edge_cache::app {

struct AdminSources {
  // All are called on the admin listener's threads.
  std::function<observability::CacheReport()> report;
  std::function<bool()> is_draining;
  TieredCache* cache = nullptr;  // outlives the listener
  ClockPtr clock;
  std::string token;  // empty: none is asked for (AdminAccess)
  std::size_t max_entry_bytes = 8U << 20U;
};

// /healthz          200 while the process lives.
// /readyz           200 while it takes requests, 503 while it drains; JSON with the state of each
//                   tier. A store that is down leaves the proxy ready: "degraded".
// /metrics, /stats  Prometheus' text, and the same for people.
// POST /purge       admin_purge.hpp
// /entries/KEY      what each tier has under 64 hex digits; 404 where none has anything.
// /export           admin_export.hpp
// POST /import      admin_import.hpp
class AdminApi final : public http::Handler {
 public:
  explicit AdminApi(AdminSources sources) : sources_(std::move(sources)), access_(sources_.token) {}

  // Bytes of a line of /import or /export: a content is escaped six times as long at worst.
  [[nodiscard]] static constexpr std::size_t max_line_bytes(std::size_t max_entry_bytes) {
    return 6 * max_entry_bytes + (64U << 10U);
  }

  void handle(std::shared_ptr<http::Exchange> exchange) override;

 private:
  void handle_get(std::shared_ptr<http::Exchange> exchange);
  void handle_post(std::shared_ptr<http::Exchange> exchange);
  void ready(std::shared_ptr<http::Exchange> exchange) const;
  void inspect(std::shared_ptr<http::Exchange> exchange, std::string_view hex) const;

  const AdminSources sources_;
  const AdminAccess access_;
};

}  // namespace llm_edge_cache::app
