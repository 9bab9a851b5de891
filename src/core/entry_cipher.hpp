// Entries encrypted under one key: XAES-256-GCM (https://c2sp.org/XAES-256-GCM).
//
// That is AES-256-GCM (NIST SP 800-38D) under a key of the entry's own, derived by CMAC (NIST SP
// 800-108r1) from the first half of a random nonce of 192 bits; the other half is GCM's nonce.
// Plain AES-GCM with random nonces must change its key after 2^32 entries, which a busy cache
// writes within weeks; this one after 2^80.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "llm_edge_cache/encryption_key.hpp"

namespace llm_edge_cache {

// Thread-safe: the contexts are the calling thread's, wiped with it.
class EntryCipher {
 public:
  using Nonce = std::array<std::uint8_t, 24>;
  using Tag = std::array<char, 16>;

  explicit EntryCipher(const EncryptionKey& key);
  EntryCipher(const EntryCipher&) = delete;
  EntryCipher& operator=(const EntryCipher&) = delete;
  ~EntryCipher();

  // Tells keys apart and nothing else about them: 32 bits of an HMAC under the key.
  [[nodiscard]] std::uint32_t key_id() const { return key_id_; }

  [[nodiscard]] static Nonce random_nonce();

  // Encrypts `bytes` in place. The nonce must never have been used under this key.
  [[nodiscard]] Tag seal(const Nonce& nonce, std::string_view associated,
                         std::span<char> bytes) const;
  // Decrypts `bytes` to `out`, which has as many. False where key, nonce, associated data, tag and
  // bytes do not belong together; `out` is zeroed then.
  [[nodiscard]] bool open(const Nonce& nonce, std::string_view associated, const Tag& tag,
                          std::string_view bytes, char* out) const;

 private:
  using Block = std::array<std::uint8_t, 16>;

  void derive_key(const Nonce& nonce, std::span<std::uint8_t, EncryptionKey::kBytes> out) const;

  const EncryptionKey key_;
  const std::uint32_t key_id_;
  Block subkey_;  // CMAC's K1
};

}  // namespace llm_edge_cache
