// Reads what the proxy says of an answer in Cache-Status (RFC 9211).
#pragma once

#include <optional>
#include <string_view>

#include "llm_edge_cache/lookup_result.hpp"

namespace llm_edge_cache::app {

// Nothing where no member of the list is ours. `header` is the whole field, members of several
// caches included, nearest to the client last.
[[nodiscard]] std::optional<LookupOutcome> parse_cache_outcome(std::string_view header);

}  // namespace llm_edge_cache::app
