#include "serve/admin_api.hpp"

#include <nlohmann/json.hpp>
#include <utility>

#include "observability/prometheus_text.hpp"
#include "serve/admin_answer.hpp"
#include "serve/admin_export.hpp"
#include "serve/admin_import.hpp"
#include "serve/admin_purge.hpp"
#include "serve/entry_line.hpp"

namespace llm_edge_cache::app {

namespace {

constexpr std::string_view kEntries = "/entries/";

void refuse_method(http::Exchange& exchange, std::string_view allowed) {
  http::ResponseHead head;
  head.status = 405;
  head.headers.add("Content-Type", kJson);
  head.headers.add("Allow", allowed);
  exchange.respond(
      head, http::SharedBytes(std::string("{\"error\":{\"code\":\"method_not_allowed\"}}\n")));
}

bool is_for_post(std::string_view path) {
  return path == "/purge" || path == "/import";
}

}  // namespace

void AdminApi::handle(std::shared_ptr<http::Exchange> exchange) {
  const auto& head = exchange->head();
  if (const auto refusal = access_.refuse(head)) {
    return answer_error(*exchange, refusal->status, refusal->code);
  }
  const bool is_post = head.method == "POST";
  if (is_for_post(head.path())) {
    return is_post ? handle_post(std::move(exchange)) : refuse_method(*exchange, "POST");
  }
  if (head.method != "GET" && head.method != "HEAD") return refuse_method(*exchange, "GET, HEAD");
  handle_get(std::move(exchange));
}

void AdminApi::handle_post(std::shared_ptr<http::Exchange> exchange) {
  if (exchange->head().path() == "/purge") return start_purge(*sources_.cache, std::move(exchange));
  start_import(*sources_.cache, sources_.clock, max_line_bytes(sources_.max_entry_bytes),
               std::move(exchange));
}

void AdminApi::handle_get(std::shared_ptr<http::Exchange> exchange) {
  const auto path = exchange->head().path();
  if (path == "/healthz") return answer(*exchange, 200, kJson, "{\"status\":\"ok\"}\n");
  if (path == "/readyz") return ready(std::move(exchange));
  if (path == "/metrics") {
    return answer(*exchange, 200, observability::kPrometheusContentType,
                  observability::metrics_text(sources_.report()));
  }
  if (path == "/stats") {
    return answer(*exchange, 200, kJson, observability::stats_json(sources_.report()));
  }
  if (path == "/export") {
    return start_export(*sources_.cache, sources_.clock, std::move(exchange));
  }
  if (path.starts_with(kEntries)) {
    return inspect(exchange, std::string_view(path).substr(kEntries.size()));
  }
  answer_error(*exchange, 404, "not_found");
}

void AdminApi::inspect(std::shared_ptr<http::Exchange> exchange, std::string_view hex) const {
  const auto key = key_digest_from_hex(hex);
  if (!key) return answer_error(*exchange, 400, "invalid_argument", "a key has 64 hex digits");
  sources_.cache->inspect(
      *key, [exchange, key = *key, clock = sources_.clock](const TieredCache::Inspected& found) {
        exchange->post([exchange, key, clock, found] {
          if (found.in_l1 == nullptr && found.in_l2 == nullptr) {
            return answer_error(*exchange, 404, "not_found");
          }
          const auto summary = [&](const EntryPtr& entry) {
            return entry == nullptr
                       ? nlohmann::ordered_json()
                       : nlohmann::ordered_json::parse(to_summary(*entry, clock->now_ms()));
          };
          const nlohmann::ordered_json json = {
              {"key", to_hex(key)}, {"l1", summary(found.in_l1)}, {"l2", summary(found.in_l2)}};
          answer(*exchange, 200, kJson, json.dump() + "\n");
        });
      });
}

void AdminApi::ready(std::shared_ptr<http::Exchange> exchange) const {
  sources_.cache->check([exchange, draining = sources_.is_draining()](HealthStatus health) {
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
