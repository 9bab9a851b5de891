// OpenSSL's primitives fail only without memory, entropy or a provider; none leaves a safe way on.
#pragma once

namespace llm_edge_cache {

[[noreturn]] void die_of_openssl(const char* call);

// Ends the process with OpenSSL's reason where `succeeded` is false.
inline void check_openssl(bool succeeded, const char* call) {
  if (!succeeded) [[unlikely]] {
    die_of_openssl(call);
  }
}

}  // namespace llm_edge_cache
