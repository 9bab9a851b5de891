// The secret under which entries are encrypted before they leave the process.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "llm_edge_cache/result.hpp"

namespace llm_edge_cache {

// 256 bits. Copies are independent; each wipes its bytes when it is destroyed.
class EncryptionKey {
 public:
  static constexpr std::size_t kBytes = 32;

  // Text of 64 hex digits, or of base64 (RFC 4648, with its padding or without); white space
  // around it does not count. kInvalidArgument otherwise; no message repeats the text.
  [[nodiscard]] static Result<EncryptionKey> parse(std::string_view text);
  // From a file of such text, as `openssl rand -hex 32` writes it. kIo, naming the file, where it
  // cannot be read or where users other than its owner and group can read it too.
  [[nodiscard]] static Result<EncryptionKey> load(const std::string& file);

  explicit EncryptionKey(std::span<const std::uint8_t, kBytes> bytes);
  EncryptionKey(const EncryptionKey&) = default;
  EncryptionKey& operator=(const EncryptionKey&) = default;
  ~EncryptionKey();

  // Valid as long as the key.
  [[nodiscard]] std::span<const std::uint8_t, kBytes> bytes() const { return bytes_; }

 private:
  std::array<std::uint8_t, kBytes> bytes_;
};

}  // namespace llm_edge_cache
