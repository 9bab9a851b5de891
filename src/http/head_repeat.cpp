#include "http/head_repeat.hpp"

#include "base/parse_number.hpp"
#include "http/headers.hpp"

namespace llm_edge_cache::http {
namespace {

constexpr std::size_t kMaxDigits = 18;  // so many always fit into 64 bits

constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// The value's digits; empty where no line has them.
std::string_view digits_of_content_length(std::string_view head) {
  constexpr std::string_view kName = "content-length";
  for (std::size_t line_end = head.find("\r\n"); line_end != std::string_view::npos;
       line_end = head.find("\r\n")) {
    const std::string_view line = head.substr(0, line_end);
    head.remove_prefix(line_end + 2);
    if (line.size() <= kName.size() || line[kName.size()] != ':' ||
        !equals_ignore_case(line.substr(0, kName.size()), kName)) {
      continue;
    }
    std::string_view digits = line.substr(kName.size() + 1);
    while (!digits.empty() && !is_digit(digits.front())) digits.remove_prefix(1);
    while (!digits.empty() && !is_digit(digits.back())) digits.remove_suffix(1);
    return digits;
  }
  return {};
}

}  // namespace

void HeadRepeat::remember(std::string_view head) {
  forget();
  const std::string_view digits = digits_of_content_length(head);
  if (head.size() > kMaxBytes || digits.empty() || digits.size() > kMaxDigits) return;
  const auto length = parse_number<std::uint64_t>(digits);
  if (!length) return;
  head_ = head;
  content_length_ = *length;
  digits_at_ = static_cast<std::size_t>(digits.data() - head.data());
  digits_size_ = digits.size();
}

std::optional<HeadRepeat::Match> HeadRepeat::match(std::string_view input) const {
  if (head_.empty() || input.size() < head_.size()) return std::nullopt;
  const std::string_view known = head_;
  if (input.starts_with(known)) {
    return Match{.head_bytes = known.size(),
                 .length_digits = input.substr(digits_at_, digits_size_),
                 .content_length = content_length_};
  }
  const std::size_t digits_end = digits_at_ + digits_size_;
  if (input.substr(0, digits_at_) != known.substr(0, digits_at_) ||
      input.substr(digits_end, known.size() - digits_end) != known.substr(digits_end)) {
    return std::nullopt;
  }
  const std::string_view digits = input.substr(digits_at_, digits_size_);
  const auto length = parse_number<std::uint64_t>(digits);
  if (!length) return std::nullopt;
  return Match{.head_bytes = known.size(), .length_digits = digits, .content_length = *length};
}

}  // namespace llm_edge_cache::http
