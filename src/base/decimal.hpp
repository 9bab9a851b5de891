// A number as text, without a string of its own.
#pragma once

#include <array>
#include <charconv>
#include <concepts>
#include <cstddef>
#include <limits>
#include <string_view>

namespace llm_edge_cache {

// Used as an argument: `append(Decimal(42))`. The view ends with it.
class Decimal {
 public:
  template <std::integral T>
  explicit Decimal(T value) {
    char* const begin = digits_.data();
    size_ =
        static_cast<std::size_t>(std::to_chars(begin, begin + digits_.size(), value).ptr - begin);
  }

  [[nodiscard]] std::string_view view() const { return {digits_.data(), size_}; }
  operator std::string_view() const { return view(); }  // NOLINT(google-explicit-constructor)

 private:
  static constexpr std::size_t kMaxDigits = std::numeric_limits<unsigned long long>::digits10 + 2;

  std::array<char, kMaxDigits> digits_;  // only what size_ counts is written
  std::size_t size_ = 0;
};

}  // namespace llm_edge_cache
