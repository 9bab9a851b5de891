#include "base/openssl_check.hpp"

#include <openssl/err.h>

#include <array>
#include <cstdio>
#include <cstdlib>

namespace llm_edge_cache {

void die_of_openssl(const char* call) {
  std::array<char, 256> reason{};
  ERR_error_string_n(ERR_get_error(), reason.data(), reason.size());
  std::fprintf(stderr, "llm_edge_cache: %s failed: %s\n", call, reason.data());
  std::abort();
}

}  // namespace llm_edge_cache
