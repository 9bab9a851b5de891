#include "base/random.hpp"

#include <openssl/rand.h>

#include <algorithm>

#include "base/openssl_check.hpp"

namespace llm_edge_cache {

void fill_random(std::span<std::uint8_t> bytes) {
  constexpr std::size_t kMaxCall = 1U << 20U;  // RAND_bytes takes an int
  while (!bytes.empty()) {
    const auto part = bytes.first(std::min(bytes.size(), kMaxCall));
    check_openssl(RAND_bytes(part.data(), static_cast<int>(part.size())) == 1, "RAND_bytes");
    bytes = bytes.subspan(part.size());
  }
}

std::string random_bytes(std::size_t count) {
  std::string bytes(count, '\0');
  fill_random({reinterpret_cast<std::uint8_t*>(bytes.data()), bytes.size()});
  return bytes;
}

}  // namespace llm_edge_cache
