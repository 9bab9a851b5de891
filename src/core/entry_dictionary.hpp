// A trained zstd dictionary, ready for use: what answers have in common need not be stored with
// each of them, and their statistics need not be read first.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "core/entry_lz4.hpp"
#include "llm_edge_cache/result.hpp"

struct ZSTD_CDict_s;
struct ZSTD_DDict_s;

namespace llm_edge_cache {

// Immutable; any number of threads may use it at a time.
class EntryDictionary {
 public:
  static constexpr std::size_t kMaxBytes = 8U << 20U;

  // The bytes of a dictionary in zstd's format, as `llm-edge-cache dict train` and `zstd --train`
  // write it. kInvalidArgument where they are not, kTooLarge over kMaxBytes.
  [[nodiscard]] static Result<std::shared_ptr<const EntryDictionary>> parse(std::string_view bytes);
  // From a file. Its errors name it; kIo where it cannot be read.
  [[nodiscard]] static Result<std::shared_ptr<const EntryDictionary>> load(const std::string& file);

  // The first 8 bytes of the SHA-256 of all its bytes, little-endian: two that differ anywhere have
  // different ids, so that no entry is decompressed with another than it was compressed with.
  [[nodiscard]] std::uint64_t id() const { return id_; }

  // A table of that length.
  [[nodiscard]] const ZSTD_CDict_s* to_compress(std::size_t table_bytes) const;
  [[nodiscard]] const ZSTD_DDict_s* to_decompress() const { return to_decompress_.get(); }
  [[nodiscard]] const Lz4Dictionary& lz4() const { return lz4_; }

 private:
  struct Free {
    void operator()(ZSTD_CDict_s* dictionary) const;
    void operator()(ZSTD_DDict_s* dictionary) const;
  };

  explicit EntryDictionary(std::string_view bytes);

  const std::uint64_t id_;
  const std::unique_ptr<ZSTD_CDict_s, Free> to_compress_;
  const std::unique_ptr<ZSTD_CDict_s, Free> to_compress_short_;
  const std::unique_ptr<ZSTD_DDict_s, Free> to_decompress_;
  const Lz4Dictionary lz4_;
};

}  // namespace llm_edge_cache
