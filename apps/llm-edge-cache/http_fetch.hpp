// One request and its whole answer, for commands that ask a server a single question.
#pragma once

#include <cstdint>
#include <string>

#include "llm_edge_cache/result.hpp"

namespace llm_edge_cache::app {

struct FetchedAnswer {
  std::uint16_t status = 0;
  std::string body;
};

// Blocks until the answer is there or failed, 10 s at most in any one phase. `url` is that of the
// server; `path` starts with a slash. kTooLarge over 64 MiB.
[[nodiscard]] Result<FetchedAnswer> fetch(const std::string& url, const std::string& path);

}  // namespace llm_edge_cache::app
