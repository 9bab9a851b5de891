// A server's words in a message of ours.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

namespace llm_edge_cache::redis {

// Fit for a log: short, and nothing but what can be printed.
[[nodiscard]] inline std::string quoted(std::string_view text) {
  constexpr std::size_t kMaxBytes = 120;
  std::string result(text.substr(0, kMaxBytes));
  std::replace_if(result.begin(), result.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
  return result;
}

}  // namespace llm_edge_cache::redis
