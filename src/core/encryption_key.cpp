#include "llm_edge_cache/encryption_key.hpp"

#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>

namespace llm_edge_cache {
namespace {

constexpr std::size_t kHexDigits = 2 * EncryptionKey::kBytes;
constexpr std::size_t kBase64Digits = 43;  // and one "=" where it is padded
constexpr std::size_t kMaxFileBytes = 256;

// Bytes of a secret in a place of a fixed size, wiped when it goes.
template <std::size_t kSize>
class SecretBuffer {
 public:
  SecretBuffer() = default;
  SecretBuffer(const SecretBuffer&) = delete;
  SecretBuffer& operator=(const SecretBuffer&) = delete;
  ~SecretBuffer() { OPENSSL_cleanse(bytes.data(), bytes.size()); }

  std::array<unsigned char, kSize> bytes{};
};

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const auto begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) {
    return {};
  }
  return text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

int hex_value(char digit) {
  if (digit >= '0' && digit <= '9') {
    return digit - '0';
  }
  const auto lower = static_cast<char>(digit | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

std::optional<EncryptionKey> from_hex(std::string_view digits) {
  SecretBuffer<EncryptionKey::kBytes> key;
  for (std::size_t i = 0; i < key.bytes.size(); ++i) {
    const int high = hex_value(digits[2 * i]);
    const int low = hex_value(digits[2 * i + 1]);
    if (high < 0 || low < 0) {
      return std::nullopt;
    }
    key.bytes[i] = static_cast<unsigned char>(high << 4 | low);
  }
  return EncryptionKey(key.bytes);
}

std::optional<EncryptionKey> from_base64(std::string_view digits) {
  SecretBuffer<kBase64Digits + 1> padded;
  padded.bytes.fill('=');
  std::ranges::copy(digits, padded.bytes.begin());
  SecretBuffer<EncryptionKey::kBytes + 1> key;  // padding counts as a byte to OpenSSL
  const int decoded =
      EVP_DecodeBlock(key.bytes.data(), padded.bytes.data(), static_cast<int>(padded.bytes.size()));
  if (decoded != static_cast<int>(key.bytes.size())) {
    return std::nullopt;
  }
  return EncryptionKey(std::span(key.bytes).first<EncryptionKey::kBytes>());
}

// OpenSSL takes an "=" anywhere for a zero.
bool is_base64_of_a_key(std::string_view text) {
  const bool padded = text.size() == kBase64Digits + 1 && text.back() == '=';
  return (padded || text.size() == kBase64Digits) &&
         text.substr(0, kBase64Digits).find('=') == std::string_view::npos;
}

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) {
      ::close(fd_);
    }
  }
  [[nodiscard]] int get() const { return fd_; }

 private:
  const int fd_;
};

Error io_error(const std::string& file, const std::string& what) {
  return {ErrorCode::kIo, file + ": " + what};
}

}  // namespace

EncryptionKey::EncryptionKey(std::span<const std::uint8_t, kBytes> bytes) {
  std::ranges::copy(bytes, bytes_.begin());
}

EncryptionKey::~EncryptionKey() {
  OPENSSL_cleanse(bytes_.data(), bytes_.size());
}

Result<EncryptionKey> EncryptionKey::parse(std::string_view text) {
  const auto digits = trimmed(text);
  std::optional<EncryptionKey> key;
  if (digits.size() == kHexDigits) {
    key = from_hex(digits);
  } else if (is_base64_of_a_key(digits)) {
    key = from_base64(digits.substr(0, kBase64Digits));
  }
  if (!key) {
    return Error{ErrorCode::kInvalidArgument,
                 "an encryption key is 32 bytes, as 64 hex digits or in base64"};
  }
  return *key;
}

Result<EncryptionKey> EncryptionKey::load(const std::string& file) {
  const Descriptor in(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat status{};
  if (in.get() < 0 || ::fstat(in.get(), &status) != 0) {
    return io_error(file, std::strerror(errno));
  }
  if ((status.st_mode & S_IRWXO) != 0) {
    return io_error(file, "every user can reach this key: chmod 600");
  }
  SecretBuffer<kMaxFileBytes> text;
  const auto got = ::read(in.get(), text.bytes.data(), text.bytes.size());
  if (got < 0) {
    return io_error(file, std::strerror(errno));
  }
  auto key = parse({reinterpret_cast<const char*>(text.bytes.data()), static_cast<size_t>(got)});
  if (!key.ok()) {
    return Error{key.error().code, file + ": " + key.error().message};
  }
  return key;
}

}  // namespace llm_edge_cache
