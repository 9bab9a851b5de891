#include "base/key_digest.hpp"

#include <span>

namespace llm_edge_cache {
namespace {

constexpr std::string_view kDigits = "0123456789abcdef";

// As many digits as there is room for.
void write_hex(const KeyDigest& key, std::span<char> hex) {
  for (std::size_t i = 0; i < hex.size() / 2; ++i) {
    hex[2 * i] = kDigits[key.bytes[i] >> 4U];
    hex[2 * i + 1] = kDigits[key.bytes[i] & 0x0FU];
  }
}

}  // namespace

std::string to_hex(const KeyDigest& key) {
  std::string hex(2 * key.bytes.size(), '0');
  write_hex(key, hex);
  return hex;
}

ShortHex::ShortHex(const KeyDigest& key) {
  write_hex(key, digits_);
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
