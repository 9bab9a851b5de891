#include "core/entry_cipher.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>
#include <cstring>
#include <memory>

#include "base/openssl_check.hpp"
#include "base/random.hpp"
#include "base/sha256.hpp"
#include "core/little_endian.hpp"

namespace llm_edge_cache {
namespace {

constexpr std::size_t kHalfNonceBytes = 12;
constexpr std::string_view kKeyIdLabel = "llm-edge-cache encryption key id";

struct FreeContext {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, FreeContext>;

CipherContext new_context(const char* algorithm) {
  EVP_CIPHER* cipher = EVP_CIPHER_fetch(nullptr, algorithm, nullptr);
  check_openssl(cipher != nullptr, "EVP_CIPHER_fetch");
  CipherContext context(EVP_CIPHER_CTX_new());
  check_openssl(context != nullptr, "EVP_CIPHER_CTX_new");
  check_openssl(EVP_EncryptInit_ex2(context.get(), cipher, nullptr, nullptr, nullptr) == 1,
                "EVP_EncryptInit_ex2");
  EVP_CIPHER_free(cipher);  // the context holds its own reference
  return context;
}

// AES-256 of whole blocks, each for itself.
void encrypt_blocks(const EncryptionKey& key, std::span<const std::uint8_t> blocks,
                    std::uint8_t* out) {
  thread_local const CipherContext context = new_context("AES-256-ECB");
  check_openssl(
      EVP_EncryptInit_ex2(context.get(), nullptr, key.bytes().data(), nullptr, nullptr) == 1,
      "EVP_EncryptInit_ex2");
  int written = 0;
  check_openssl(EVP_EncryptUpdate(context.get(), out, &written, blocks.data(),
                                  static_cast<int>(blocks.size())) == 1,
                "EVP_EncryptUpdate");
}

enum class Direction { kDecrypt = 0, kEncrypt = 1 };

// AES-256-GCM up to its tag.
EVP_CIPHER_CTX* run_gcm(Direction direction, std::span<const std::uint8_t> key,
                        std::span<const std::uint8_t> nonce, std::string_view associated,
                        std::string_view bytes, char* out) {
  thread_local const CipherContext context = new_context("AES-256-GCM");
  auto* const gcm = context.get();
  check_openssl(EVP_CipherInit_ex2(gcm, nullptr, key.data(), nonce.data(),
                                   static_cast<int>(direction), nullptr) == 1,
                "EVP_CipherInit_ex2");
  const auto* const to_authenticate = reinterpret_cast<const unsigned char*>(associated.data());
  int written = 0;
  check_openssl(EVP_CipherUpdate(gcm, nullptr, &written, to_authenticate,
                                 static_cast<int>(associated.size())) == 1,
                "EVP_CipherUpdate");
  check_openssl(EVP_CipherUpdate(gcm, reinterpret_cast<unsigned char*>(out), &written,
                                 reinterpret_cast<const unsigned char*>(bytes.data()),
                                 static_cast<int>(bytes.size())) == 1,
                "EVP_CipherUpdate");
  return gcm;
}

std::uint32_t id_of(const EncryptionKey& key) {
  const auto bytes = key.bytes();
  const auto digest =
      hmac_sha256({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, kKeyIdLabel);
  return get_little_endian<std::uint32_t>(digest.bytes.data());
}

// Of one entry; wiped when it goes.
struct DerivedKey {
  DerivedKey() = default;
  DerivedKey(const DerivedKey&) = delete;
  DerivedKey& operator=(const DerivedKey&) = delete;
  ~DerivedKey() { OPENSSL_cleanse(bytes.data(), bytes.size()); }

  std::array<std::uint8_t, EncryptionKey::kBytes> bytes{};
};

}  // namespace

EntryCipher::EntryCipher(const EncryptionKey& key) : key_(key), key_id_(id_of(key)), subkey_{} {
  // Doubling in GF(2^128), as CMAC derives K1 (NIST SP 800-38B).
  encrypt_blocks(key_, subkey_, subkey_.data());
  const auto carry = static_cast<std::uint8_t>(subkey_[0] >> 7U);
  for (std::size_t i = 0; i < subkey_.size(); ++i) {
    const auto next = i + 1 < subkey_.size() ? subkey_[i + 1] >> 7U : 0;
    subkey_[i] = static_cast<std::uint8_t>(subkey_[i] << 1U | next);
  }
  subkey_.back() = static_cast<std::uint8_t>(subkey_.back() ^ 0x87U * carry);
}

EntryCipher::~EntryCipher() {
  OPENSSL_cleanse(subkey_.data(), subkey_.size());
}

EntryCipher::Nonce EntryCipher::random_nonce() {
  Nonce nonce;
  fill_random(nonce);
  return nonce;
}

void EntryCipher::derive_key(const Nonce& nonce,
                             std::span<std::uint8_t, EncryptionKey::kBytes> out) const {
  for (std::size_t i = 0; i < out.size() / sizeof(Block); ++i) {
    const auto block = out.subspan(i * sizeof(Block), sizeof(Block));
    block[0] = block[3] = 0;
    block[1] = static_cast<std::uint8_t>(i + 1);  // the counter
    block[2] = 'X';
    std::copy_n(nonce.begin(), kHalfNonceBytes, block.begin() + 4);
    for (std::size_t j = 0; j < block.size(); ++j) {
      block[j] ^= subkey_[j];
    }
  }
  encrypt_blocks(key_, out, out.data());
}

EntryCipher::Tag EntryCipher::seal(const Nonce& nonce, std::string_view associated,
                                   std::span<char> bytes) const {
  DerivedKey derived;
  derive_key(nonce, derived.bytes);
  auto* const gcm =
      run_gcm(Direction::kEncrypt, derived.bytes, std::span(nonce).subspan(kHalfNonceBytes),
              associated, {bytes.data(), bytes.size()}, bytes.data());
  Tag tag;
  int written = 0;
  check_openssl(
      EVP_EncryptFinal_ex(gcm, reinterpret_cast<unsigned char*>(tag.data()), &written) == 1 &&
          EVP_CIPHER_CTX_ctrl(gcm, EVP_CTRL_AEAD_GET_TAG, static_cast<int>(tag.size()),
                              tag.data()) == 1,
      "EVP_EncryptFinal_ex");
  return tag;
}

bool EntryCipher::open(const Nonce& nonce, std::string_view associated, const Tag& tag,
                       std::string_view bytes, char* out) const {
  DerivedKey derived;
  derive_key(nonce, derived.bytes);
  auto* const gcm = run_gcm(Direction::kDecrypt, derived.bytes,
                            std::span(nonce).subspan(kHalfNonceBytes), associated, bytes, out);
  Tag expected = tag;
  check_openssl(EVP_CIPHER_CTX_ctrl(gcm, EVP_CTRL_AEAD_SET_TAG, static_cast<int>(expected.size()),
                                    expected.data()) == 1,
                "EVP_CIPHER_CTX_ctrl");
  int written = 0;
  const bool authentic =
      EVP_DecryptFinal_ex(gcm, reinterpret_cast<unsigned char*>(expected.data()), &written) == 1;
  if (!authentic) {
    OPENSSL_cleanse(out, bytes.size());
  }
  return authentic;
}

}  // namespace llm_edge_cache
