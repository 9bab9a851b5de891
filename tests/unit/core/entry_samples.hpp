// Entries, keys and dictionaries for tests of the stored form.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>

#include "base/key_digest.hpp"
#include "base/sha256.hpp"
#include "core/entry.hpp"
#include "core/entry_cipher.hpp"
#include "core/entry_dictionary.hpp"

namespace llm_edge_cache {

inline KeyDigest sample_key() {
  return sha256("sample");
}

// Every field set, the payload `bytes` long and compressible.
inline Entry sample_entry(std::size_t bytes = 40) {
  Entry entry;
  while (entry.response.content.size() < bytes) {
    entry.response.content += R"({"choices":[{"message":{"content":"four"}}]})";
  }
  entry.response.content.resize(bytes);
  entry.response.tokens = TokenUsage{11, 22, 33};
  entry.response.model = "gpt-4o-2024-08-06";
  entry.response.cached_at_ms = 1'700'000'000'123;
  entry.status = 200;
  entry.content_type = "application/json";
  entry.finish_reason = "stop";
  entry.expires_ms = 1'700'000'300'123;
  entry.stale_until_ms = 1'700'000'600'123;
  entry.tags = {"docs", "", "team-a"};
  return entry;
}

inline std::string golden_file(const std::string& name) {
  return LEC_SOURCE_DIR "/tests/golden/entries/" + name;
}

inline std::string golden(const std::string& name) {
  std::ifstream file(golden_file(name), std::ios::binary);
  EXPECT_TRUE(file.is_open()) << name;
  return {std::istreambuf_iterator<char>(file), {}};
}

// Of a key whose bytes are all `byte`.
inline std::shared_ptr<const EntryCipher> sample_cipher(std::uint8_t byte = 7) {
  std::array<std::uint8_t, EncryptionKey::kBytes> bytes;
  bytes.fill(byte);
  return std::make_shared<const EntryCipher>(EncryptionKey(bytes));
}

inline EntryCipher::Nonce sample_nonce() {
  EntryCipher::Nonce nonce;
  nonce.fill(9);
  return nonce;
}

// Trained on answers like that of sample_entry().
inline std::shared_ptr<const EntryDictionary> sample_dictionary() {
  return EntryDictionary::load(golden_file("dictionary.bin")).value();
}

}  // namespace llm_edge_cache
