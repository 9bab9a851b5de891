// Cache keys. The bytes that are hashed are injective: no two different requests share them
// (docs/format.md). A change of key is a breaking change.
#pragma once

#include <string>
#include <string_view>

#include "llm_edge_cache/cacheable_request.hpp"
#include "llm_edge_cache/result.hpp"

namespace llm_edge_cache {

// SHA-256 of the canonical request as 64 lower-case hex digits. kInvalidArgument where the
// temperature is not finite or a parameter is not JSON, or holds a name twice.
[[nodiscard]] Result<std::string> generate_cache_key(const CacheableRequest& request);

// The first 16 digits of a key, for logs and headers; shorter text is returned as it is.
[[nodiscard]] std::string generate_short_key(std::string_view cache_key);

}  // namespace llm_edge_cache
