// The checksum of entries that are not encrypted (docs/format.md): XXH3-128, seeded with the key.
// It has no secret: it finds accidents, an entry under another key among them, not forgery.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#include "base/key_digest.hpp"

namespace llm_edge_cache {

inline constexpr std::size_t kEntryChecksumBytes = 16;

// Of a frame: `head` is the 16 bytes before the checksum, `rest` what follows it.
[[nodiscard]] std::array<char, kEntryChecksumBytes> entry_checksum(const KeyDigest& key,
                                                                   std::string_view head,
                                                                   std::string_view rest);

}  // namespace llm_edge_cache
