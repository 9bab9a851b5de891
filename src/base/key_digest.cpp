#include "base/key_digest.hpp"

namespace llm_edge_cache {
namespace {

constexpr std::string_view kDigits = "0123456789abcdef";

}  // namespace

std::string to_hex(const KeyDigest& key) {
  std::string hex;
  hex.reserve(2 * key.bytes.size());
  for (const auto byte : key.bytes) {
    hex.push_back(kDigits[byte >> 4U]);
    hex.push_back(kDigits[byte & 0x0FU]);
  }
  return hex;
}

std::optional<KeyDigest> key_digest_from_hex(std::string_view hex) {
  KeyDigest key;
  if (hex.size() != 2 * key.bytes.size()) {
    return std::nullopt;
  }
  for (std::size_t i = 0; i < key.bytes.size(); ++i) {
    const auto high = kDigits.find(hex[2 * i]);
    const auto low = kDigits.find(hex[2 * i + 1]);
    if (high == kDigits.npos || low == kDigits.npos) {
      return std::nullopt;
    }
    key.bytes[i] = static_cast<std::uint8_t>(high << 4U | low);
  }
  return key;
}

}  // namespace llm_edge_cache
