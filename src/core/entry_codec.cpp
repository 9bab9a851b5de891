#include "core/entry_codec.hpp"

#include "core/entry_frame.hpp"
#include "core/entry_table.hpp"

namespace llm_edge_cache {
namespace {

constexpr std::size_t kMaxKeptBytes = 1U << 20U;

}  // namespace

Result<std::string> encode_entry(const KeyDigest& key, const Entry& entry,
                                 const EntryFormat& format) {
  const auto table = write_entry_table(entry, format.max_bytes);
  if (!table.ok()) {
    return table.error();
  }
  return seal_entry_frame(key, *table, format);
}

Result<EntryPtr> decode_entry(const KeyDigest& key, std::string_view bytes,
                              const EntryFormat& format) {
  thread_local FrameBuffers buffers;
  const auto table = open_entry_frame(key, bytes, format, buffers);
  auto entry = table.ok() ? read_entry_table(*table) : Result<EntryPtr>(table.error());
  buffers.decrypted.trim(kMaxKeptBytes);
  buffers.table.trim(kMaxKeptBytes);
  buffers.lz4.trim(kMaxKeptBytes);
  return entry;
}

}  // namespace llm_edge_cache
