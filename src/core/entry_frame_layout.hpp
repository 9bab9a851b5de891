// Where what stands in a frame (docs/format.md). Both versions share the places up to the checksum.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/key_digest.hpp"
#include "core/entry_cipher.hpp"
#include "llm_edge_cache/result.hpp"

namespace llm_edge_cache::frame {

inline constexpr std::string_view kMagic = "LLEC";
inline constexpr char kVersion = 2;
inline constexpr char kOldVersion = 1;

inline constexpr std::size_t kVersionAt = 4;
inline constexpr std::size_t kFlagsAt = 5;
inline constexpr std::size_t kReservedAt = 6;
inline constexpr std::size_t kTableBytesAt = 8;
inline constexpr std::size_t kRestBytesAt = 12;  // of all that follows the checksum
inline constexpr std::size_t kChecksumAt = 16;   // or GCM's tag
inline constexpr std::size_t kRestAt = 32;

inline constexpr std::uint8_t kCompressed = 1U << 0U;
inline constexpr std::uint8_t kEncrypted = 1U << 1U;
inline constexpr std::uint8_t kWithDictionary = 1U << 2U;
inline constexpr std::uint8_t kLz4 = 1U << 3U;  // not zstd; with kCompressed and kWithDictionary

// What stands between checksum and body, by the flags and in this order.
inline constexpr std::size_t kDictionaryIdBytes = 8;
inline constexpr std::size_t kKeyIdBytes = 4;
inline constexpr std::size_t kNonceBytes = sizeof(EntryCipher::Nonce);

[[nodiscard]] constexpr std::size_t body_at(std::uint8_t flags) {
  return kRestAt + ((flags & kWithDictionary) != 0 ? kDictionaryIdBytes : 0) +
         ((flags & kEncrypted) != 0 ? kKeyIdBytes + kNonceBytes : 0);
}

// What an encrypted body is bound to: its key, and all of the frame before it but the tag.
class AssociatedData {
 public:
  AssociatedData(const KeyDigest& key, std::string_view frame, std::size_t body) {
    auto end = std::ranges::copy(key.view(), bytes_.begin()).out;
    end = std::ranges::copy(frame.substr(0, kChecksumAt), end).out;
    end = std::ranges::copy(frame.substr(kRestAt, body - kRestAt), end).out;
    size_ = static_cast<std::size_t>(end - bytes_.begin());
  }
  [[nodiscard]] std::string_view view() const { return {bytes_.data(), size_}; }

 private:
  std::array<char, sizeof(KeyDigest) + kChecksumAt + body_at(0xFF) - kRestAt> bytes_;
  std::size_t size_;
};

[[nodiscard]] inline Error corrupt(const char* message) {
  return {ErrorCode::kCorruptData, message};
}

}  // namespace llm_edge_cache::frame
