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

// The options of `fresh` that are not as they are in `running` and take a restart, by flag or key.
[[nodiscard]] std::vector<std::string> waiting_for_restart(const ServeConfig& running,
                                                           const ServeConfig& fresh);

}  // namespace llm_edge_cache::app
