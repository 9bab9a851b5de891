// Text in pieces, for streams made of whole answers.
#pragma once

#include <string_view>

namespace llm_edge_cache::proxy {

// Takes the next piece off the front: up to a white space where one comes in time, never within a
// character, and short enough to look like a stream. Empty where nothing is left.
[[nodiscard]] std::string_view take_piece(std::string_view& text);

}  // namespace llm_edge_cache::proxy
