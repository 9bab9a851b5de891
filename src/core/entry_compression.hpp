// zstd over the tables of entries, with the calling thread's contexts.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace llm_edge_cache {

class EntryDictionary;

// Level 4 saves another 2 % of 4 KB of prose, for two to three times the time.
inline constexpr int kEntryZstdLevel = 1;
// Of tables up to that length. zstd does not code their literals: reading the code would be most of
// the time of a hit (docs/decisions/0010).
inline constexpr int kShortEntryZstdLevel = -1;
inline constexpr std::size_t kShortTableBytes = 4'096;

[[nodiscard]] constexpr int entry_zstd_level(std::size_t table_bytes) {
  return table_bytes <= kShortTableBytes ? kShortEntryZstdLevel : kEntryZstdLevel;
}

// The bytes written to `out`; 0 where they would not fit. `dictionary` may be null.
[[nodiscard]] std::size_t compress_table(std::string_view table, std::span<char> out,
                                         const EntryDictionary* dictionary);

// Whether `body` is compressed bytes, with that dictionary or with none, of exactly out.size(). It
// never writes more, whatever `body` claims.
[[nodiscard]] bool decompress_table(std::string_view body, std::span<char> out,
                                    const EntryDictionary* dictionary);

}  // namespace llm_edge_cache
