#include "serve/admin_api.hpp"

#include <nlohmann/json.hpp>
#include <utility>

#include "observability/prometheus_text.hpp"

namespace llm_edge_cache::app {

namespace {

constexpr std::string_view kJson = "application/json";

void answer(http::Exchange& exchange, std::uint16_t status, std::string_view content_type,
            std::string body) {
  http::ResponseHead head;
  head.status = status;
  head.headers.add("Content-Type", content_type);
  head.headers.add("Cache-Control", "no-store");
  if (status == 405) head.headers.add("Allow", "GET, HEAD");
  exchange.respond(std::move(head), http::SharedBytes(std::move(body)));
}

std::string error_json(std::string_view code) {
  return nlohmann::json({{"error", {{"code", code}}}}).dump() + "\n";
}

}  // namespace

void AdminApi::handle(std::shared_ptr<http::Exchange> exchange) {
  const auto& head = exchange->head();
  if (head.method != "GET" && head.method != "HEAD") {
    return answer(*exchange, 405, kJson, error_json("method_not_allowed"));
  }
  const auto path = head.path();
  if (path == "/healthz") return answer(*exchange, 200, kJson, "{\"status\":\"ok\"}\n");
  if (path == "/readyz") return ready(std::move(exchange));
  if (path == "/metrics") {
    return answer(*exchange, 200, observability::kPrometheusContentType,
                  observability::metrics_text(sources_.report()));
  }
  if (path == "/stats") {
    return answer(*exchange, 200, kJson, observability::stats_json(sources_.report()));
  }
  answer(*exchange, 404, kJson, error_json("not_found"));
}

void AdminApi::ready(std::shared_ptr<http::Exchange> exchange) const {
  sources_.check([exchange, draining = sources_.is_draining()](HealthStatus health) {
    exchange->post([exchange, draining, health] {
      const auto* l2 = !health.l2_configured ? "none" : health.l2_healthy ? "ok" : "degraded";
      const nlohmann::ordered_json json = {
          {"ready", !draining},
          {"draining", draining},
          {"tiers", {{"l1", health.l1_healthy ? "ok" : "degraded"}, {"l2", l2}}}};
      answer(*exchange, draining ? 503 : 200, kJson, json.dump() + "\n");
    });
  });
}

}  // namespace llm_edge_cache::app
