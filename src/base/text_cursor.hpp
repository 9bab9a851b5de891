// Writes text into memory that was made for it: where a few dozen short pieces make one text, a
// call for each of them costs more than the bytes.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <string_view>

namespace llm_edge_cache {

// The memory must hold what is put.
class TextCursor {
 public:
  explicit TextCursor(char* at) : at_(at) {}

  void put(std::string_view text) {
    at_ = std::copy(text.begin(), text.end(), at_);  // an empty view may have no bytes at all
  }
  // A literal, whose size is known to the compiler.
  template <std::size_t kSize>
  void put(const char (&text)[kSize]) {
    std::memcpy(at_, text, kSize - 1);
    at_ += kSize - 1;
  }

  [[nodiscard]] char* at() const { return at_; }

 private:
  char* at_;
};

}  // namespace llm_edge_cache
