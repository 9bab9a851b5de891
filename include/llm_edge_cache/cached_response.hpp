// The answer.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "llm_edge_cache/clock.hpp"

namespace llm_edge_cache {

struct TokenUsage {
  std::uint32_t prompt_tokens = 0;
  std::uint32_t completion_tokens = 0;
  std::uint32_t total_tokens = 0;

  friend bool operator==(const TokenUsage&, const TokenUsage&) = default;
};

struct CachedResponse {
  std::string content;
  std::optional<TokenUsage> tokens;
  std::string model;
  UnixMillis cached_at_ms = 0;  // set by store() from the manager's clock where it is 0

  friend bool operator==(const CachedResponse&, const CachedResponse&) = default;
};

}  // namespace llm_edge_cache
