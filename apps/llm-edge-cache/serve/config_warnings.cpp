#include "serve/config_warnings.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace llm_edge_cache::app {

namespace {

// What is kept to be served stale is forgotten like everything that nobody reads.
bool forgets_stale_answers(const ServeConfig& config) {
  return !config.has_l2() && config.l1_tti_seconds != 0 &&
         config.longest_stale_ms() > config.l1_tti_seconds * 1'000;
}

bool pays_for_the_unknown(const ServeConfig& config) {
  return config.proxy_options({}).pays_for_the_unknown();
}

// Nobody vouches for a credential that does not go up: whoever makes up a new one has no limit.
bool limits_made_up_credentials(const ServeConfig& config) {
  return config.credential_limits().any() && pays_for_the_unknown(config);
}

// A proxy that strangers cannot reach is reached by the pages that its users open.
bool pays_for_every_page(const ServeConfig& config) {
  return config.cors_origins == "*" && pays_for_the_unknown(config);
}

// What keeps silent is given up when no other attempt may begin any more.
bool never_replaces_the_silent(const ServeConfig& config) {
  return config.upstream_first_byte_timeout_ms >= config.upstream_retry_deadline_ms &&
         std::ranges::any_of(config.upstreams,
                             [](const auto& group) { return group.members.size() > 1; });
}

}  // namespace

std::vector<std::string> warnings_of(const ServeConfig& config) {
  std::vector<std::string> warnings;
  if (forgets_stale_answers(config)) {
    warnings.push_back(
        fmt::format("answers may be served stale for {} s, but memory forgets what nobody asks for "
                    "in {} s: raise --l1-tti-seconds",
                    config.longest_stale_ms() / 1'000, config.l1_tti_seconds));
  }
  if (limits_made_up_credentials(config)) {
    warnings.emplace_back(
        "credential_limits bound nobody where the upstream has a credential of its own: a client "
        "can make up a new one for each request. Give clients gateway keys (tenants)");
  }
  if (pays_for_every_page(config)) {
    warnings.emplace_back(
        "--cors-origins * lets every page that somebody opens who reaches the proxy ask with the "
        "upstream's own credential: name the pages, or give clients gateway keys (tenants)");
  }
  if (never_replaces_the_silent(config)) {
    warnings.emplace_back(
        "no other member of a group is asked for one that keeps silent: "
        "--upstream-first-byte-timeout-ms is not below --upstream-retry-deadline-ms");
  }
  return warnings;
}

}  // namespace llm_edge_cache::app
