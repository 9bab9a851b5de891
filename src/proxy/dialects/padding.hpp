// `obfuscation`: bytes that OpenAI adds to the events of a stream, so that their sizes tell less
// about the tokens in them. Whoever reads a stream ignores them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "llm_edge_cache/result.hpp"

namespace llm_edge_cache::proxy {

inline constexpr std::string_view kPaddingMember = "obfuscation";

// True where there may be padding.
[[nodiscard]] bool is_padded(std::string_view stream);

// The stream without it; events that have none keep their bytes. kInvalidArgument where an event
// has it beside fields that we would lose.
[[nodiscard]] Result<std::optional<std::string>> strip_padding(std::string_view stream);

}  // namespace llm_edge_cache::proxy
