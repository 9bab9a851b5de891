// What is valid and yet unlikely to be meant.
#pragma once

#include <string>
#include <vector>

#include "serve/serve_config.hpp"

namespace llm_edge_cache::app {

// One sentence each, of a valid configuration.
[[nodiscard]] std::vector<std::string> warnings_of(const ServeConfig& config);

}  // namespace llm_edge_cache::app
