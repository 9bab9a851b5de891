// What of a configuration read anew a running proxy takes over.
#pragma once

#include <string>
#include <vector>

#include "serve/serve_config.hpp"

namespace llm_edge_cache::app {

// `running` with the rules, the tenants, what becomes of unknown keys, what a rate counts, the
// pages that may use the proxy, and the TLS files of `fresh`. The files only where the listener
// speaks TLS in both.
[[nodiscard]] ServeConfig reloaded_config(const ServeConfig& running, const ServeConfig& fresh);

// The options of `fresh` that are not as they were in `started`, what the process was started with,
// and take a restart, by flag or key; and its rules where they let answers be served stale for
// longer than the second store, which has its TTL from the start, keeps them.
[[nodiscard]] std::vector<std::string> waiting_for_restart(const ServeConfig& started,
                                                           const ServeConfig& fresh);

}  // namespace llm_edge_cache::app
