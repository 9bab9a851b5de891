// Comparison of secrets without a clock to read them by.
#pragma once

#include <openssl/crypto.h>

#include <string_view>

namespace llm_edge_cache {

// The time taken depends on the lengths alone.
[[nodiscard]] inline bool constant_time_equal(std::string_view left, std::string_view right) {
  return left.size() == right.size() && CRYPTO_memcmp(left.data(), right.data(), left.size()) == 0;
}

}  // namespace llm_edge_cache
