// The frame around an entry's table: version, compression, encryption, and what binds the bytes to
// their key (docs/format.md).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/key_digest.hpp"
#include "core/aligned_buffer.hpp"
#include "core/entry_cipher.hpp"
#include "core/entry_format.hpp"
#include "core/entry_lz4.hpp"
#include "llm_edge_cache/result.hpp"

namespace llm_edge_cache {

inline constexpr std::size_t kEntryFrameHeaderBytes = 32;

struct FrameBuffers {
  AlignedBuffer decrypted;
  AlignedBuffer table;
  Lz4Window lz4;
};

// The table must be shorter than 4 GiB. It is compressed where it has more than
// format.compress_over_bytes and compression makes it shorter, and encrypted where there is a
// cipher.
[[nodiscard]] std::string seal_entry_frame(const KeyDigest& key, std::string_view table,
                                           const EntryFormat& format);
// For tests: a nonce must never be used twice.
[[nodiscard]] std::string seal_entry_frame(const KeyDigest& key, std::string_view table,
                                           const EntryFormat& format,
                                           const EntryCipher::Nonce& nonce);

// The table, aligned to 8 bytes: a view of `frame` or of `buffers`, valid as long as both are left
// alone. Allocates format.max_bytes at most, and as much as `frame` has where that is encrypted.
// Errors as those of decode_entry().
[[nodiscard]] Result<std::string_view> open_entry_frame(const KeyDigest& key,
                                                        std::string_view frame,
                                                        const EntryFormat& format,
                                                        FrameBuffers& buffers);

}  // namespace llm_edge_cache
