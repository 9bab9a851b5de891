// Any entry survives being stored; with one bit changed, or under another key, it does not decode.
#include <fuzzer/FuzzedDataProvider.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "core/entry_codec.hpp"
#include "core/tag_stamp.hpp"
#include "fuzz/fuzz_check.hpp"

namespace llm_edge_cache {
namespace {

Entry make_entry(FuzzedDataProvider& data) {
  Entry entry;
  entry.response.model = data.ConsumeRandomLengthString(20);
  entry.content_type = data.ConsumeRandomLengthString(20);
  entry.finish_reason = data.ConsumeRandomLengthString(20);
  entry.status = data.ConsumeIntegral<std::uint16_t>();
  if (data.ConsumeBool()) {
    entry.response.tokens =
        TokenUsage{data.ConsumeIntegral<std::uint32_t>(), data.ConsumeIntegral<std::uint32_t>(),
                   data.ConsumeIntegral<std::uint32_t>()};
  }
  entry.response.cached_at_ms = data.ConsumeIntegral<UnixMillis>();
  entry.expires_ms = data.ConsumeIntegral<UnixMillis>();
  entry.stale_until_ms = data.ConsumeIntegral<UnixMillis>();
  for (auto tags = data.ConsumeIntegralInRange(0, 5); tags > 0; --tags) {
    entry.tags.push_back(data.ConsumeRandomLengthString(20));
  }
  if (data.ConsumeBool()) {
    for (const auto& tag : entry.tags) {
      entry.tag_stamps.push_back({tag_marker_key(tag), data.ConsumeIntegral<std::uint64_t>()});
    }
  }
  return entry;
}

EntryFormat make_format(FuzzedDataProvider& data) {
  EntryFormat format;
  if (data.ConsumeBool()) {
    std::array<std::uint8_t, EncryptionKey::kBytes> bytes{};
    bytes[0] = data.ConsumeIntegral<std::uint8_t>();
    format.cipher = std::make_shared<const EntryCipher>(EncryptionKey(bytes));
  }
  if (data.ConsumeBool()) {
    static const auto dictionary =
        EntryDictionary::load(LEC_SOURCE_DIR "/tests/golden/entries/dictionary.bin").value();
    format.dictionary = dictionary;
    format.lz4_up_to_bytes = data.ConsumeIntegralInRange<std::size_t>(0, 4'096);
  }
  return format;
}

}  // namespace
}  // namespace llm_edge_cache

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace llm_edge_cache;
  FuzzedDataProvider data(bytes, size);
  const KeyDigest key;
  auto entry = make_entry(data);
  const auto format = make_format(data);
  const auto place = data.ConsumeIntegral<std::uint32_t>();
  const auto bit = data.ConsumeIntegralInRange(0, 7);
  const auto repeats = data.ConsumeIntegralInRange(1, 40);
  const auto piece = data.ConsumeRemainingBytesAsString();
  for (int i = 0; i < repeats; ++i) {
    entry.response.content += piece;
  }

  auto encoded = *encode_entry(key, entry, format);
  const auto decoded = decode_entry(key, encoded, format);
  fuzz_check(decoded.ok() && **decoded == entry, "the entry did not survive");

  KeyDigest other_key;
  other_key.bytes[place % other_key.bytes.size()] = static_cast<std::uint8_t>(1 << bit);
  fuzz_check(!decode_entry(other_key, encoded, format).ok(), "the entry decodes under another key");

  auto& damaged = encoded[place % encoded.size()];
  damaged = static_cast<char>(damaged ^ (1 << bit));
  fuzz_check(!decode_entry(key, encoded, format).ok(), "a damaged entry decodes");
  return 0;
}
