// LZ4 over the tables of entries: a tenth longer than zstd makes them, and read in less than half
// of its time (docs/decisions/0010).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/aligned_buffer.hpp"

union LZ4_stream_u;

namespace llm_edge_cache {

// What LZ4 makes of a dictionary. Immutable; any number of threads may use it at a time.
class Lz4Dictionary {
 public:
  // LZ4 looks back no further.
  static constexpr std::size_t kMaxBytes = 64U << 10U;

  // The last kMaxBytes of `bytes` count.
  explicit Lz4Dictionary(std::string_view bytes);

  [[nodiscard]] std::string_view bytes() const { return bytes_; }
  // The bytes written to `out`; 0 where they would not fit.
  [[nodiscard]] std::size_t compress(std::string_view table, std::span<char> out) const;

 private:
  struct Free {
    void operator()(LZ4_stream_u* stream) const;
  };

  const std::string bytes_;
  std::unique_ptr<LZ4_stream_u, Free> loaded_;
};

// Where tables are decompressed: right behind their dictionary, which stays there for the next one.
// LZ4 reads what is in front of it quicker than what is elsewhere.
class Lz4Window {
 public:
  // The table, aligned to 8 bytes and valid until the next call; nothing where `body` is not, with
  // that dictionary, exactly so many bytes compressed. Two dictionaries have two ids.
  [[nodiscard]] std::optional<std::string_view> decompress(std::string_view body,
                                                           std::size_t table_bytes,
                                                           const Lz4Dictionary& dictionary,
                                                           std::uint64_t dictionary_id);
  // Gives back what exceeds that many bytes.
  void trim(std::size_t max_bytes);

 private:
  AlignedBuffer memory_;
  std::optional<std::uint64_t> dictionary_id_;  // of what is in front
};

}  // namespace llm_edge_cache
