#include "base/key_digest.hpp"

namespace llm_edge_cache {

std::string to_hex(const KeyDigest& key) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string hex;
  hex.reserve(2 * key.bytes.size());
  for (const auto byte : key.bytes) {
    hex.push_back(kDigits[byte >> 4U]);
    hex.push_back(kDigits[byte & 0x0FU]);
  }
  return hex;
}

}  // namespace llm_edge_cache
