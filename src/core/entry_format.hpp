// How a tier writes entries, and what it has at hand to read them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "core/entry_cipher.hpp"
#include "core/entry_dictionary.hpp"
#include "llm_edge_cache/config.hpp"
#include "llm_edge_cache/result.hpp"

namespace llm_edge_cache {

// What is called old is read and not written with: the rest of a rotation, or its beginning, before
// every process that shares the store knows the new one.
struct EntryFormat {
  static constexpr std::size_t kCompressOverBytes = 1'024;

  std::size_t compress_over_bytes = kCompressOverBytes;  // shorter tables are stored as they are
  // Such tables are compressed with LZ4 where there is a dictionary. 0: all with zstd.
  std::size_t lz4_up_to_bytes = 0;
  std::size_t max_bytes = 64U << 20U;  // of a table that is not, or no longer, compressed

  // With a cipher, what is not encrypted is not read either: an entry from whoever can write to the
  // store would be as good as our own.
  std::shared_ptr<const EntryCipher> cipher = nullptr;
  std::shared_ptr<const EntryCipher> old_cipher = nullptr;
  // The built-in dictionary is read in any case.
  std::shared_ptr<const EntryDictionary> dictionary = nullptr;
  std::shared_ptr<const EntryDictionary> old_dictionary = nullptr;

  // What `config`, which is valid, says. `compress_over_bytes` counts where it says nothing and
  // names no dictionary; then the built-in one is written with. The error of a key or dictionary
  // that cannot be used.
  [[nodiscard]] static Result<EntryFormat> of(const L2Config& config,
                                              std::size_t compress_over_bytes = kCompressOverBytes);

  // Null where it is not at hand.
  [[nodiscard]] const EntryCipher* find_cipher(std::uint32_t key_id) const;
  [[nodiscard]] const EntryDictionary* find_dictionary(std::uint64_t id) const;
};

}  // namespace llm_edge_cache
