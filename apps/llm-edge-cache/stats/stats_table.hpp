// What GET /stats of the admin listener says, for people.
#pragma once

#include <string>
#include <string_view>

#include "llm_edge_cache/result.hpp"

namespace llm_edge_cache::app {

// kProtocol where the text is not the answer of /stats.
[[nodiscard]] Result<std::string> stats_table(std::string_view json);

}  // namespace llm_edge_cache::app
