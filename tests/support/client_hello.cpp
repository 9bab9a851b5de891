#include "tests/support/client_hello.hpp"

#include <cstddef>
#include <cstdint>

namespace llm_edge_cache::test {
namespace {

constexpr std::size_t kHandshake = 22;
constexpr std::size_t kHello = 1;
constexpr std::size_t kServerName = 0;
constexpr std::size_t kHostName = 0;
constexpr std::size_t kVersionBytes = 2;
constexpr std::size_t kRandomBytes = 32;

// Reads to the end, or until something is missing; then every call gives nothing.
class Reader {
 public:
  explicit Reader(std::string_view left) : left_(left) {}

  [[nodiscard]] bool is_broken() const { return is_broken_; }
  [[nodiscard]] bool is_at_end() const { return left_.empty(); }

  std::string_view bytes(std::size_t count) {
    is_broken_ |= count > left_.size();
    if (is_broken_) return {};
    const std::string_view taken = left_.substr(0, count);
    left_.remove_prefix(count);
    return taken;
  }
  // Big endian.
  std::size_t number(std::size_t width) {
    std::size_t value = 0;
    for (const char byte : bytes(width)) value = value << 8U | static_cast<std::uint8_t>(byte);
    return value;
  }
  // A number of bytes, then those.
  std::string_view vector(std::size_t width) { return bytes(number(width)); }

 private:
  std::string_view left_;
  bool is_broken_ = false;
};

}  // namespace

std::optional<ClientHello> parse_client_hello(std::string_view bytes) {
  Reader record(bytes);
  const bool is_handshake = record.number(1) == kHandshake;
  (void)record.bytes(kVersionBytes);
  Reader message(record.vector(2));
  const bool is_hello = message.number(1) == kHello;
  Reader hello(message.vector(3));
  (void)hello.bytes(kVersionBytes + kRandomBytes);
  (void)hello.vector(1);  // session
  (void)hello.vector(2);  // ciphers
  (void)hello.vector(1);  // compression
  Reader extensions(hello.vector(2));
  ClientHello result;
  while (!extensions.is_at_end() && !extensions.is_broken()) {
    const std::size_t type = extensions.number(2);
    Reader extension(extensions.vector(2));
    if (type != kServerName) continue;
    Reader names(extension.vector(2));
    if (names.number(1) == kHostName) result.server_name = names.vector(2);
  }
  const bool is_whole =
      !record.is_broken() && !message.is_broken() && !hello.is_broken() && !extensions.is_broken();
  if (!is_handshake || !is_hello || !is_whole) return std::nullopt;
  return result;
}

}  // namespace llm_edge_cache::test
