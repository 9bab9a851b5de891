// The Cache-Status response field (RFC 9211).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "http/field_lines.hpp"
#include "http/headers.hpp"

namespace llm_edge_cache::proxy {

inline constexpr std::string_view kCacheName = "llm-edge-cache";

// Why a request went to the upstream (RFC 9211, section 2.2).
enum class ForwardReason {
  kBypass,   // not a request that is cached
  kMiss,     // no answer was stored
  kRequest,  // the request's own directives did not allow a stored one
  kStale,    // the one that was stored is stale
};

// "llm-edge-cache; hit; ttl=251; detail=l1". ttl_s: negative where the answer is stale.
void add_hit_status(http::FieldLines& fields, std::int64_t ttl_s, std::string_view detail);

// Of a stored answer that is given because the provider, which was asked, failed: forwarded, so no
// hit (section 2). "llm-edge-cache; fwd=stale; fwd-status=503; ttl=-30; detail=stale_if_error"
struct FallbackStatus {
  ForwardReason reason = ForwardReason::kStale;
  std::optional<std::uint16_t> upstream_status = {};  // empty: no answer came
  bool is_collapsed = false;
  std::int64_t ttl_s = 0;
};
[[nodiscard]] std::string fallback_status(const FallbackStatus& status);

struct ForwardStatus {
  ForwardReason reason = ForwardReason::kMiss;
  std::optional<std::uint16_t> upstream_status = {};  // said where it is not 200
  bool is_stored = false;                             // where it is known when the head is sent
  bool is_collapsed = false;                          // another request's call answered
  std::string_view detail = {};                       // a token; empty: none
};
// "llm-edge-cache; fwd=miss; stored"
[[nodiscard]] std::string forward_status(const ForwardStatus& status);

// Of an error that is the proxy's own, where the request went nowhere: neither a hit nor forwarded.
// "llm-edge-cache; detail=not_cached". detail: a token.
[[nodiscard]] std::string refusal_status(std::string_view detail);

// Appends ours to what the caches before us said.
void add_cache_status(http::Headers& headers, std::string_view status);

}  // namespace llm_edge_cache::proxy
