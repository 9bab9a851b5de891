// Memory aligned to 8 bytes that grows as it is needed and may be used again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace llm_edge_cache {

class AlignedBuffer {
 public:
  // Valid until the next call. Its bytes are of any value; those of the last call are still there.
  [[nodiscard]] char* reserve(std::size_t bytes) {
    const auto words = bytes / sizeof(std::uint64_t) + 1;
    if (words_.size() < words) {
      words_.resize(words);
    }
    return reinterpret_cast<char*>(words_.data());
  }
  // Gives all back where it exceeds that many bytes; true where it does.
  bool trim(std::size_t max_bytes) {
    if (words_.size() * sizeof(std::uint64_t) <= max_bytes) {
      return false;
    }
    words_ = {};
    return true;
  }

 private:
  std::vector<std::uint64_t> words_;
};

}  // namespace llm_edge_cache
