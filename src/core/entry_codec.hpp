// Entries as bytes, for the tiers that keep them outside of the process (docs/format.md).
//
// The bytes are bound to the key they are stored under and carry a 128-bit checksum: an entry that
// was cut, changed or moved under another key does not decode. That holds against accidents; only
// encryption, for which the format has room, holds against an attacker who writes to the store.
//
// Thread-safe. Each thread keeps its compression contexts and a buffer, of about 1 MiB each at
// most.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/key_digest.hpp"
#include "core/entry.hpp"
#include "llm_edge_cache/result.hpp"

namespace llm_edge_cache {

struct EncodeOptions {
  std::size_t compress_over_bytes = 1024;  // shorter tables are stored as they are
  std::size_t max_bytes = 64U << 20U;      // of the table, before compression
};

struct DecodeLimits {
  std::size_t max_bytes = 64U << 20U;  // of the table, after decompression
};

// kTooLarge over max_bytes.
[[nodiscard]] Result<std::string> encode_entry(const KeyDigest& key, const Entry& entry,
                                               const EncodeOptions& options = {});

// Never null. kCorruptData where the bytes do not verify under this key or are of a version,
// compression or encryption unknown to this build (the message tells which); kTooLarge over the
// limit.
[[nodiscard]] Result<EntryPtr> decode_entry(const KeyDigest& key, std::string_view bytes,
                                            const DecodeLimits& limits = {});

}  // namespace llm_edge_cache
