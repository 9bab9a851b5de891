// When a provider that refuses a request wants to be asked again.
#pragma once

#include <chrono>
#include <optional>

#include "http/headers.hpp"
#include "llm_edge_cache/clock.hpp"

namespace llm_edge_cache::proxy {

// By retry-after-ms, else Retry-After (RFC 9110, 10.2.3: seconds or a date); never negative, at
// most a day. Empty where neither is there, or says anything that can be read, or where the
// provider wants not to be asked again (`x-should-retry: false`).
[[nodiscard]] std::optional<std::chrono::milliseconds> retry_after(const http::Headers& headers,
                                                                   UnixMillis now_ms);

}  // namespace llm_edge_cache::proxy
