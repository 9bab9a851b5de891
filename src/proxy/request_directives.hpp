// What a client asks of the cache itself (RFC 9111, section 5.2.1, and fields of our own).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "http/headers.hpp"
#include "llm_edge_cache/result.hpp"

namespace llm_edge_cache::proxy {

inline constexpr std::size_t kMaxNamespaceBytes = 256;
inline constexpr std::size_t kMaxTags = 16;
inline constexpr std::size_t kMaxTagBytes = 64;
// More seconds than this count as this: a century changes nothing, and fits as milliseconds.
inline constexpr std::int64_t kMaxDirectiveSeconds = 100LL * 365 * 24 * 3600;

struct RequestDirectives {
  bool no_store = false;
  bool no_cache = false;  // also `Pragma: no-cache` where there is no Cache-Control
  bool only_if_cached = false;
  std::optional<std::int64_t> max_age_s = {};
  std::optional<std::int64_t> min_fresh_s = {};
  std::optional<std::int64_t> max_stale_s = {};       // without an argument: kMaxDirectiveSeconds
  std::optional<std::int64_t> stale_if_error_s = {};  // RFC 5861, section 4

  // x-llm-cache-ttl, in seconds on the wire; 0: do not store.
  std::optional<std::uint64_t> ttl_ms = {};
  // x-llm-cache-namespace: divides a scope, never leaves it.
  std::string name_space = {};
  std::vector<std::string> tags = {};  // x-llm-cache-tags

  // Not the client's word, but its tenant's (Tenant::apply_to): whose answers it sees, empty for no
  // tenant, and the longest life of what it stores.
  std::string tenant_space = {};
  std::optional<std::uint64_t> max_ttl_ms = {};

  friend bool operator==(const RequestDirectives&, const RequestDirectives&) = default;
};

// Unknown directives are ignored. A number that is none counts as the strictest (RFC 9111, 4.2.1:
// 0, of min-fresh the largest); of several the strictest counts. kInvalidArgument, naming the
// field, for a value of an x-llm-cache-* field that cannot be used, and for such a field that there
// is none of: these have no reading but the one that is documented.
[[nodiscard]] Result<RequestDirectives> parse_request_directives(const http::Headers& headers);

// The tags of what is stored for the request: its own, and one each for its namespace and its
// tenant's.
[[nodiscard]] std::vector<std::string> tags_to_store(const RequestDirectives& directives);

// Removes the fields read above: they are addressed to us.
void strip_request_directives(http::Headers& headers);
// Only those that no other cache knows: all of x-llm-cache-*.
void strip_own_directives(http::Headers& headers);

}  // namespace llm_edge_cache::proxy
