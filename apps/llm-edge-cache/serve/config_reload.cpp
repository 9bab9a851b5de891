#include "serve/config_reload.hpp"

#include <fmt/format.h>

#include <variant>

#include "serve/option_table.hpp"
#include "serve/rules_layer.hpp"
#include "serve/upstreams_layer.hpp"

namespace llm_edge_cache::app {

ServeConfig reloaded_config(const ServeConfig& running, const ServeConfig& fresh) {
  auto config = running;
  config.rules = fresh.rules;
  config.tenants = fresh.tenants;
  config.unknown_keys = fresh.unknown_keys;
  config.tenant_rate_counts = fresh.tenant_rate_counts;
  config.credential_requests_per_second = fresh.credential_requests_per_second;
  config.credential_burst = fresh.credential_burst;
  config.credential_max_concurrent = fresh.credential_max_concurrent;
  config.cors_origins = fresh.cors_origins;
  if (running.tls_options() && fresh.tls_options()) {
    config.tls_cert = fresh.tls_cert;
    config.tls_key = fresh.tls_key;
    config.tls_client_ca = fresh.tls_client_ca;
  }
  if (running.admin_tls_options() && fresh.admin_tls_options()) {
    config.admin_tls_cert = fresh.admin_tls_cert;
    config.admin_tls_key = fresh.admin_tls_key;
  }
  return config;
}

std::vector<std::string> waiting_for_restart(const ServeConfig& started, const ServeConfig& fresh) {
  const auto reloaded = reloaded_config(started, fresh);
  std::vector<std::string> names;
  for (const auto& option : serve_options()) {
    const bool differs =
        std::visit([&](auto member) { return reloaded.*member != fresh.*member; }, option.field);
    if (differs) names.push_back(option.label());
  }
  if (started.upstreams != fresh.upstreams) names.emplace_back(kUpstreamsKey);
  const auto kept_ms = started.longest_stale_ms();
  if (started.has_l2() && reloaded.longest_stale_ms() > kept_ms) {
    names.push_back(
        fmt::format("{} (--l2 keeps what is stale for {} s)", kRulesKey, kept_ms / 1'000));
  }
  return names;
}

}  // namespace llm_edge_cache::app
