// Stored bytes from anywhere: as a whole frame, as a table within a sound frame, and as a header
// whose checksum fits. What decodes must survive being stored again.
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "base/sha256.hpp"
#include "core/entry_codec.hpp"
#include "core/entry_frame.hpp"
#include "fuzz/fuzz_check.hpp"

namespace llm_edge_cache {
namespace {

constexpr DecodeLimits kLimits{.max_bytes = 1U << 20U};

void check_decode(const KeyDigest& key, std::string_view bytes) {
  const auto entry = decode_entry(key, bytes, kLimits);
  if (!entry.ok()) {
    fuzz_check(
        entry.error().code == ErrorCode::kCorruptData || entry.error().code == ErrorCode::kTooLarge,
        "another error than those documented");
    return;
  }
  const auto encoded = encode_entry(key, **entry);
  fuzz_check(encoded.ok(), "a decoded entry does not encode");
  const auto again = decode_entry(key, *encoded);
  fuzz_check(again.ok() && **again == **entry, "an entry changes when it is stored again");
}

void check_sealed_header(const KeyDigest& key, std::string frame) {
  if (frame.size() < kEntryFrameHeaderBytes) {
    return;
  }
  Sha256 hash;
  hash.update(key.view());
  hash.update(std::string_view(frame).substr(0, 16));
  hash.update(std::string_view(frame).substr(kEntryFrameHeaderBytes));
  const auto digest = std::move(hash).finish();
  std::memcpy(&frame[16], digest.bytes.data(), 16);
  check_decode(key, frame);
}

}  // namespace
}  // namespace llm_edge_cache

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace llm_edge_cache;
  const KeyDigest key;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  check_decode(key, bytes);
  check_decode(key, seal_entry_frame(key, bytes, 1'024));
  check_sealed_header(key, std::string(bytes));
  return 0;
}
