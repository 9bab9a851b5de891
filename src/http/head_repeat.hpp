// Whether a request begins with the same head as the one before it on its connection. Clients ask
// again and again with equal fields; then nothing of the head has to be parsed or judged anew.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace llm_edge_cache::http {

// Equal bytes have equal meaning; only the digits of Content-Length may differ, not their number.
// Holds at most kMaxBytes. Not thread-safe.
class HeadRepeat {
 public:
  static constexpr std::size_t kMaxBytes = 4 * 1024;

  struct Match {
    std::size_t head_bytes = 0;      // of the input
    std::string_view length_digits;  // of the input: Content-Length as it stands there
    std::uint64_t content_length = 0;
  };

  // head: the bytes of a whole head, blank line included, that was found good and has one
  // Content-Length. What was remembered before is forgotten; a head that is too long is not kept.
  void remember(std::string_view head);
  void forget() { head_.clear(); }

  [[nodiscard]] std::optional<Match> match(std::string_view input) const;

 private:
  std::string head_;  // empty: nothing is remembered
  std::size_t digits_at_ = 0;
  std::size_t digits_size_ = 0;
  std::uint64_t content_length_ = 0;
};

}  // namespace llm_edge_cache::http
