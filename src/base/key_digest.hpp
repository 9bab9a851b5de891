// The 32 bytes under which an answer is stored in every tier.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

namespace llm_edge_cache {

struct KeyDigest {
  std::array<std::uint8_t, 32> bytes{};

  friend auto operator<=>(const KeyDigest&, const KeyDigest&) = default;

  // A digest is uniform already: any eight bytes of it are a hash. A tenant chooses its requests,
  // not their SHA-256.
  [[nodiscard]] std::uint64_t hash() const {
    std::uint64_t value = 0;
    std::memcpy(&value, bytes.data(), sizeof value);
    return value;
  }

  // The 32 bytes themselves; valid as long as the digest.
  [[nodiscard]] std::string_view view() const {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }
};

// 64 lower-case hex digits.
[[nodiscard]] std::string to_hex(const KeyDigest& key);
// The first 16 of them, which name a key in logs and headers.
class ShortHex {
 public:
  explicit ShortHex(const KeyDigest& key);
  [[nodiscard]] std::string_view view() const { return {digits_.data(), digits_.size()}; }
  operator std::string_view() const { return view(); }  // NOLINT(google-explicit-constructor)

 private:
  std::array<char, 16> digits_;
};

// The inverse of to_hex; nothing for any other text, upper-case digits included.
[[nodiscard]] std::optional<KeyDigest> key_digest_from_hex(std::string_view hex);

}  // namespace llm_edge_cache
