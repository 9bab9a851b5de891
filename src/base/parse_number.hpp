// Numbers in foreign text.
#pragma once

#include <charconv>
#include <optional>
#include <string_view>

namespace llm_edge_cache {

// The number that is all of the text, in the grammar of std::from_chars: no sign but '-', no white
// space, no locale. Nothing where text says anything else, or more than Number holds.
template <class Number>
[[nodiscard]] std::optional<Number> parse_number(std::string_view text) {
  Number number = 0;
  const char* const begin = text.data();
  const char* const end = begin + text.size();
  const auto [stop, error] = std::from_chars(begin, end, number);
  return error == std::errc() && stop == end ? std::optional(number) : std::nullopt;
}

}  // namespace llm_edge_cache
