// OpenAI responses as events and as one body.
//
// The last event of a stream carries the whole response, so that nothing has to be put together.
// It is still held against the items that the stream gave one by one.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "proxy/dialects/streamed_dialect.hpp"

namespace llm_edge_cache::proxy {

// The response, as the provider would have answered without `stream`. Not exact where the stream
// has events that we do not know, or gave other items than its last event.
[[nodiscard]] Assembled assemble_response(std::string_view stream);

// The events of a response: each item of its output is added, its content comes in small pieces,
// and it is done. Empty where an item is of a type that we cannot say in events.
[[nodiscard]] std::optional<std::string> split_response(const Json& body);

}  // namespace llm_edge_cache::proxy
