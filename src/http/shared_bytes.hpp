// Immutable bytes with shared ownership: what bodies travel in, so that an answer that many
// connections send exists once.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace llm_edge_cache::http {

// Cheap to copy; safe to share between threads, because nothing changes the bytes.
class SharedBytes {
 public:
  SharedBytes() = default;

  explicit SharedBytes(std::string bytes) {
    auto owner = std::make_shared<const std::string>(std::move(bytes));
    view_ = *owner;
    owner_ = std::move(owner);
  }

  // owner keeps bytes alive and unchanged, for example a cache entry and its payload.
  SharedBytes(std::shared_ptr<const void> owner, std::string_view bytes)
      : owner_(std::move(owner)), view_(bytes) {}

  // bytes live as long as the program.
  [[nodiscard]] static SharedBytes of_static(std::string_view bytes) { return {nullptr, bytes}; }

  [[nodiscard]] std::string_view view() const { return view_; }
  [[nodiscard]] std::size_t size() const { return view_.size(); }
  [[nodiscard]] bool empty() const { return view_.empty(); }

  // The same owner, fewer bytes; offset <= size().
  [[nodiscard]] SharedBytes from(std::size_t offset) const { return part(offset, size()); }
  // At most max_bytes of them.
  [[nodiscard]] SharedBytes part(std::size_t offset, std::size_t max_bytes) const {
    return {owner_, view_.substr(offset, max_bytes)};
  }

 private:
  std::shared_ptr<const void> owner_;
  std::string_view view_;
};

}  // namespace llm_edge_cache::http
