// Entries as bytes, for the tiers that keep them outside of the process (docs/format.md).
//
// The bytes are bound to the key they are stored under: an entry that was cut, changed or moved
// under another key does not decode. Without encryption that holds against accidents, by a checksum
// of 128 bits; with it, against whoever can write to the store.
//
// Thread-safe. Each thread keeps its contexts for compression and encryption and two buffers, of
// about 1 MiB each at most.
#pragma once

#include <string>
#include <string_view>

#include "base/key_digest.hpp"
#include "core/entry.hpp"
#include "core/entry_format.hpp"
#include "llm_edge_cache/result.hpp"

namespace llm_edge_cache {

// kTooLarge over format.max_bytes.
[[nodiscard]] Result<std::string> encode_entry(const KeyDigest& key, const Entry& entry,
                                               const EntryFormat& format = {});

// Never null. kCorruptData where the bytes do not verify under this key, or are of a version, key
// or dictionary that is not at hand (the message tells which); kTooLarge over format.max_bytes.
[[nodiscard]] Result<EntryPtr> decode_entry(const KeyDigest& key, std::string_view bytes,
                                            const EntryFormat& format = {});

}  // namespace llm_edge_cache
