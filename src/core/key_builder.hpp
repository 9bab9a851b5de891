// KeyBuilder: the bytes that a key is the SHA-256 of.
//
// A version, what kind of request it is, then every field as tag, length and bytes. The stream can
// be read back in one way only, so that two different requests never share it; joining fields by a
// separator cannot promise that.
//
// The field enum is the kind: a builder of LibraryField takes no ProxyField. Text and whole numbers
// are the only values, floating point and bool do not compile. finish() takes an rvalue:
//
//   KeyBuilder<ProxyField> key;
//   key.add(ProxyField::kPath, "/v1/messages");
//   key.add(ProxyField::kBody, canonical_body);
//   const KeyDigest digest = std::move(key).finish();
//
// Fields count in the order in which they are added: the caller fixes one. One thread at a time.
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/key_digest.hpp"
#include "base/sha256.hpp"

namespace llm_edge_cache {

// The numbers are part of every key: append, never renumber.
enum class LibraryField : std::uint8_t {
  kNamespace = 1,
  kModel = 2,
  kPrompt = 3,
  kTemperatureHundredths = 4,  // signed
  kMaxTokens = 5,
  kParameterName = 6,  // followed by its value
  kParameterValue = 7,
};

enum class ProxyField : std::uint8_t {
  kNamespace = 1,
  kScope = 2,
  kUpstream = 3,
  kPath = 4,
  kHeaderName = 5,  // lower case, followed by its value
  kHeaderValue = 6,
  kBody = 7,      // canonical JSON
  kBodyPart = 8,  // one of those that are cached each for itself; then the body is without them
};

namespace detail {

inline constexpr std::uint8_t kKeyVersion = 1;

template <class Field>
struct KeyKind;
template <>
struct KeyKind<LibraryField> {
  static constexpr char kLetter = 'L';
};
template <>
struct KeyKind<ProxyField> {
  static constexpr char kLetter = 'P';
};

// Gathers small pieces, so that a usual key is one call to the digest.
class KeyStream {
 public:
  KeyStream(std::uint8_t version, char kind);
  void append(std::uint8_t tag, std::string_view bytes);
  void append(std::uint8_t tag, std::uint64_t number);
  [[nodiscard]] KeyDigest finish();

 private:
  void append_header(std::uint8_t tag, std::uint64_t length);
  void append_bytes(std::string_view bytes);

  // A prompt of 1,500 bytes with its fields; anything longer goes through the digest in parts.
  std::array<char, 2048> buffer_;
  std::size_t used_ = 0;
  std::optional<Sha256> hash_;
};

}  // namespace detail

template <class Field>
class KeyBuilder {
 public:
  KeyBuilder() : stream_(detail::kKeyVersion, detail::KeyKind<Field>::kLetter) {}
  KeyBuilder(const KeyBuilder&) = delete;
  KeyBuilder& operator=(const KeyBuilder&) = delete;

  void add(Field field, std::string_view text) {
    stream_.append(static_cast<std::uint8_t>(field), text);
  }
  // Negative numbers count as their two's complement in 64 bits.
  template <std::integral Number>
    requires(!std::same_as<Number, bool> && !std::same_as<Number, char>)
  void add(Field field, Number number) {
    stream_.append(static_cast<std::uint8_t>(field), static_cast<std::uint64_t>(number));
  }

  [[nodiscard]] KeyDigest finish() && { return stream_.finish(); }

 private:
  detail::KeyStream stream_;
};

}  // namespace llm_edge_cache
