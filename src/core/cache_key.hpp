// The key of a library request (docs/format.md).
#pragma once

#include <string_view>

#include "base/key_digest.hpp"
#include "llm_edge_cache/cacheable_request.hpp"
#include "llm_edge_cache/result.hpp"

namespace llm_edge_cache {

// Temperatures beyond this are a mistake, and hundredths of them would not fit an integer.
inline constexpr double kMaxTemperature = 1e6;

// default_namespace is that of requests that name none. kInvalidArgument where the temperature is
// not finite or beyond kMaxTemperature, or a parameter's value is not JSON (canonical_json.hpp);
// the message names the parameter.
[[nodiscard]] Result<KeyDigest> cache_key(const CacheableRequest& request,
                                          std::string_view default_namespace);

}  // namespace llm_edge_cache
