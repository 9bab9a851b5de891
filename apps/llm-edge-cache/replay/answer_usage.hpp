// Token usage in an answer of the chat API.
#pragma once

#include <cstdint>
#include <string_view>

namespace llm_edge_cache::app {

// `usage.total_tokens` of a JSON body, or of the last event of a stream that has one; 0 without.
[[nodiscard]] std::uint64_t total_tokens_of(std::string_view body);

}  // namespace llm_edge_cache::app
