// Contiguous bytes that arrive at the back and leave at the front.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>

namespace llm_edge_cache::redis {

class ReadBuffer {
 public:
  static constexpr std::size_t kMinBytes = 64U << 10U;
  // A larger buffer, left by a large reply, is given back once it is empty.
  static constexpr std::size_t kMaxIdleBytes = 1U << 20U;

  // Room for at least so many more bytes behind data(), which may move.
  std::span<char> prepare(std::size_t bytes) {
    if (begin_ == end_) begin_ = end_ = 0;
    if (begin_ == end_ && capacity_ > kMaxIdleBytes) capacity_ = 0;
    const std::size_t held = end_ - begin_;
    if (capacity_ - end_ < bytes || capacity_ == 0) make_room(held, bytes);
    return {bytes_.get() + end_, capacity_ - end_};
  }
  void commit(std::size_t bytes) { end_ += bytes; }
  void consume(std::size_t bytes) { begin_ += bytes; }

  [[nodiscard]] std::string_view data() const { return {bytes_.get() + begin_, end_ - begin_}; }
  [[nodiscard]] std::size_t capacity() const { return capacity_; }

 private:
  void make_room(std::size_t held, std::size_t bytes) {
    if (held + bytes <= capacity_) {
      std::memmove(bytes_.get(), bytes_.get() + begin_, held);
    } else {
      // Doubling would be wasted: the parser says how much of a reply is missing.
      const std::size_t capacity = std::max(kMinBytes, held + bytes);
      auto grown = std::make_unique_for_overwrite<char[]>(capacity);
      if (held > 0) std::memcpy(grown.get(), bytes_.get() + begin_, held);
      bytes_ = std::move(grown);
      capacity_ = capacity;
    }
    begin_ = 0;
    end_ = held;
  }

  std::unique_ptr<char[]> bytes_;
  std::size_t capacity_ = 0;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace llm_edge_cache::redis
