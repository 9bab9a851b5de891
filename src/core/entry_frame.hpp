// The frame around an entry's table: version, compression and a checksum that binds the bytes to
// their key (docs/format.md).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/key_digest.hpp"
#include "llm_edge_cache/result.hpp"

namespace llm_edge_cache {

inline constexpr std::size_t kEntryFrameHeaderBytes = 32;

// The table must be shorter than 4 GiB. It is compressed where it has more than
// compress_over_bytes and compression makes it shorter.
[[nodiscard]] std::string seal_entry_frame(const KeyDigest& key, std::string_view table,
                                           std::size_t compress_over_bytes);

// The table, aligned to 8 bytes: a view of `frame` or of `storage`, valid as long as both are left
// alone. Allocates max_table_bytes at most. Errors as those of decode_entry().
[[nodiscard]] Result<std::string_view> open_entry_frame(const KeyDigest& key,
                                                        std::string_view frame,
                                                        std::size_t max_table_bytes,
                                                        std::vector<std::uint64_t>& storage);

}  // namespace llm_edge_cache
