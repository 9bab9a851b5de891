// The FlatBuffers table of an entry (entry.fbs), without the frame around it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "core/entry.hpp"
#include "llm_edge_cache/result.hpp"

namespace llm_edge_cache {

// kTooLarge over max_bytes (and over 1 GiB in any case).
[[nodiscard]] Result<std::string> write_entry_table(const Entry& entry, std::size_t max_bytes);

// `table` must be aligned to 8 bytes. Verifies all of it before reading any; kCorruptData then.
[[nodiscard]] Result<EntryPtr> read_entry_table(std::string_view table);

}  // namespace llm_edge_cache
