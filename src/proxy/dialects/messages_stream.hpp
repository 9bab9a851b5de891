// Anthropic messages as events and as one body: the two forms of the same message.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "proxy/dialects/streamed_dialect.hpp"

namespace llm_edge_cache::proxy {

// Members of a message that its message_delta brings within `delta`.
inline constexpr std::array<const char*, 4> kKnownAtEnd = {"stop_reason", "stop_sequence",
                                                           "stop_details", "container"};
// Those that it may bring beside `delta`. Transformations of the input are final at the start,
// unless another model takes over on the way.
inline constexpr const char* kContextManagement = "context_management";
inline constexpr std::array<const char*, 2> kBesideDelta = {kContextManagement,
                                                            "input_transformations"};

// How the content of a block comes in a stream.
enum class BlockGrowth {
  kText,      // text_delta, citations_delta
  kThinking,  // thinking_delta, signature_delta
  kInput,     // input_json_delta
  kWhole,     // all in content_block_start: redacted thinking, results of the provider's tools
};
// Empty for a type that we do not know.
[[nodiscard]] std::optional<BlockGrowth> growth_of_block(std::string_view type);

// The message, as the provider would have answered without `stream`.
[[nodiscard]] Assembled assemble_message(std::string_view stream);

// The events of a message. Empty where a block is of a type that we do not know.
[[nodiscard]] std::optional<std::string> split_message(const Json& body);

}  // namespace llm_edge_cache::proxy
