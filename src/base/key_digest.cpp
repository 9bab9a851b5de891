#include "base/key_digest.hpp"

#include <span>

namespace llm_edge_cache {
namespace {

constexpr std::string_view kDigits = "0123456789abcdef";

std::string hex_of(std::span<const std::uint8_t> bytes) {
  std::string hex(2 * bytes.size(), '0');
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    hex[2 * i] = kDigits[bytes[i] >> 4U];
    hex[2 * i + 1] = kDigits[bytes[i] & 0x0FU];
  }
  return hex;
}

}  // namespace

std::string to_hex(const KeyDigest& key) {
  return hex_of(key.bytes);
}

std::string to_short_hex(const KeyDigest& key) {
  return hex_of(std::span(key.bytes).first(8));
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
