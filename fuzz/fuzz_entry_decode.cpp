// Stored bytes from anywhere: as a whole frame, as a table within a sound frame, and as a frame of
// either version whose checksum fits. What decodes must survive being stored again.
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>

#include "base/sha256.hpp"
#include "core/entry_checksum.hpp"
#include "core/entry_codec.hpp"
#include "core/entry_frame.hpp"
#include "fuzz/fuzz_check.hpp"

namespace llm_edge_cache {
namespace {

constexpr std::size_t kMaxBytes = 1U << 20U;

const EntryFormat& plain() {
  static const EntryFormat format{.max_bytes = kMaxBytes};
  return format;
}

const EntryFormat& with_dictionary() {
  static const EntryFormat format{
      .max_bytes = kMaxBytes,
      .dictionary =
          EntryDictionary::load(LEC_SOURCE_DIR "/tests/golden/entries/dictionary.bin").value()};
  return format;
}

const EntryFormat& with_lz4() {
  static const EntryFormat format = [] {
    auto made = with_dictionary();
    made.compress_over_bytes = 0;
    made.lz4_up_to_bytes = kMaxBytes;
    return made;
  }();
  return format;
}

// The key and the dictionary of the golden entries.
const EntryFormat& encrypted() {
  static const EntryFormat format = [] {
    std::array<std::uint8_t, EncryptionKey::kBytes> bytes;
    bytes.fill(7);
    auto made = with_dictionary();
    made.cipher = std::make_shared<const EntryCipher>(EncryptionKey(bytes));
    return made;
  }();
  return format;
}

void check_decode(const KeyDigest& key, std::string_view bytes, const EntryFormat& format) {
  const auto entry = decode_entry(key, bytes, format);
  if (!entry.ok()) {
    fuzz_check(
        entry.error().code == ErrorCode::kCorruptData || entry.error().code == ErrorCode::kTooLarge,
        "another error than those documented");
    return;
  }
  auto unbounded = format;
  unbounded.max_bytes = 2 * kMaxBytes;  // a table that is built anew may be a little larger
  const auto encoded = encode_entry(key, **entry, unbounded);
  fuzz_check(encoded.ok(), "a decoded entry does not encode");
  const auto again = decode_entry(key, *encoded, unbounded);
  fuzz_check(again.ok() && **again == **entry, "an entry changes when it is stored again");
}

void check_with_checksum(const KeyDigest& key, std::string frame) {
  if (frame.size() < kEntryFrameHeaderBytes) {
    return;
  }
  const auto view = std::string_view(frame);
  if (frame[4] == 1) {
    const auto digest = sha256(std::string(key.view()) + frame.substr(0, 16) + frame.substr(32));
    std::memcpy(&frame[16], digest.bytes.data(), 16);
  } else {
    const auto sum = entry_checksum(key, view.substr(0, 16), view.substr(32));
    std::memcpy(&frame[16], sum.data(), sum.size());
  }
  check_decode(key, frame, with_dictionary());
}

}  // namespace
}  // namespace llm_edge_cache

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace llm_edge_cache;
  static const KeyDigest key = sha256("sample");  // that of the golden entries
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  for (const auto* format : {&plain(), &with_dictionary(), &with_lz4(), &encrypted()}) {
    check_decode(key, bytes, *format);
    check_decode(key, seal_entry_frame(key, bytes, *format), *format);
  }
  check_with_checksum(key, std::string(bytes));
  return 0;
}
