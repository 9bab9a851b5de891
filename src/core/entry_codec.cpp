#include "core/entry_codec.hpp"

#include <cstdint>
#include <vector>

#include "core/entry_frame.hpp"
#include "core/entry_table.hpp"

namespace llm_edge_cache {
namespace {

constexpr std::size_t kMaxKeptBytes = 1U << 20U;

}  // namespace

Result<std::string> encode_entry(const KeyDigest& key, const Entry& entry,
                                 const EncodeOptions& options) {
  const auto table = write_entry_table(entry, options.max_bytes);
  if (!table.ok()) {
    return table.error();
  }
  return seal_entry_frame(key, *table, options.compress_over_bytes);
}

Result<EntryPtr> decode_entry(const KeyDigest& key, std::string_view bytes,
                              const DecodeLimits& limits) {
  thread_local std::vector<std::uint64_t> storage;
  const auto table = open_entry_frame(key, bytes, limits.max_bytes, storage);
  if (!table.ok()) {
    return table.error();
  }
  auto entry = read_entry_table(*table);
  if (storage.size() * sizeof(std::uint64_t) > kMaxKeptBytes) {
    storage = {};
  }
  return entry;
}

}  // namespace llm_edge_cache
