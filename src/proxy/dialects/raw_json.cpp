#include "proxy/dialects/raw_json.hpp"

#include <cstddef>

namespace llm_edge_cache::proxy {
namespace {

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// Reads from the front of a text.
class RawReader {
 public:
  explicit RawReader(std::string_view text) : rest_(text) {}

  [[nodiscard]] bool take(char wanted) {
    skip_space();
    if (rest_.empty() || rest_.front() != wanted) {
      return false;
    }
    rest_.remove_prefix(1);
    return true;
  }
  // Empty where no value ends in time.
  [[nodiscard]] std::string_view take_value() {
    skip_space();
    const auto size = size_of_value();
    const auto value = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return value;
  }
  [[nodiscard]] bool is_at_end() {
    skip_space();
    return rest_.empty();
  }

  [[nodiscard]] bool take_number() {
    skip_space();
    std::size_t at = next_is('-', 0) ? 1 : 0;
    const auto whole = digits_from(at);
    if (whole == 0 || (whole > 1 && rest_[at] == '0')) {
      return false;
    }
    at += whole;
    if (next_is('.', at)) {
      const auto fraction = digits_from(at + 1);
      if (fraction == 0) {
        return false;
      }
      at += 1 + fraction;
    }
    if (next_is('e', at) || next_is('E', at)) {
      at += next_is('+', at + 1) || next_is('-', at + 1) ? 2 : 1;
      const auto exponent = digits_from(at);
      if (exponent == 0) {
        return false;
      }
      at += exponent;
    }
    rest_.remove_prefix(at);
    return true;
  }

 private:
  void skip_space() {
    while (!rest_.empty() && is_space(rest_.front())) {
      rest_.remove_prefix(1);
    }
  }
  [[nodiscard]] bool next_is(char c, std::size_t at) const {
    return at < rest_.size() && rest_[at] == c;
  }
  [[nodiscard]] std::size_t digits_from(std::size_t at) const {
    std::size_t count = 0;
    while (at + count < rest_.size() && is_digit(rest_[at + count])) {
      ++count;
    }
    return count;
  }

  [[nodiscard]] std::size_t size_of_value() const {
    if (rest_.empty()) {
      return 0;
    }
    if (rest_.front() == '"') {
      return end_of_string(0);
    }
    if (rest_.front() == '[' || rest_.front() == '{') {
      return end_of_nesting();
    }
    std::size_t end = 0;
    while (end < rest_.size() && !is_space(rest_[end]) && rest_[end] != ',' && rest_[end] != ']' &&
           rest_[end] != '}') {
      ++end;
    }
    return end;
  }
  // One past the quote that ends the string at `start`; 0 where there is none.
  [[nodiscard]] std::size_t end_of_string(std::size_t start) const {
    for (std::size_t i = start + 1; i < rest_.size(); ++i) {
      if (rest_[i] == '\\') {
        ++i;
      } else if (rest_[i] == '"') {
        return i + 1;
      }
    }
    return 0;
  }
  [[nodiscard]] std::size_t end_of_nesting() const {
    std::size_t depth = 0;
    for (std::size_t i = 0; i < rest_.size(); ++i) {
      const char c = rest_[i];
      if (c == '"') {
        const auto end = end_of_string(i);
        if (end == 0) {
          return 0;
        }
        i = end - 1;
      } else if (c == '[' || c == '{') {
        ++depth;
      } else if ((c == ']' || c == '}') && --depth == 0) {
        return i + 1;
      }
    }
    return 0;
  }

  std::string_view rest_;
};

}  // namespace

bool for_each_raw_member(std::string_view object, const VisitMember& visit) {
  RawReader reader(object);
  if (!reader.take('{')) {
    return false;
  }
  if (reader.take('}')) {
    return reader.is_at_end();
  }
  do {
    const auto name = reader.take_value();
    if (name.size() < 2 || name.front() != '"' || name.find('\\') != std::string_view::npos ||
        !reader.take(':')) {
      return false;
    }
    const auto value = reader.take_value();
    if (value.empty() || !visit(name.substr(1, name.size() - 2), value)) {
      return false;
    }
  } while (reader.take(','));
  return reader.take('}') && reader.is_at_end();
}

bool for_each_raw_element(std::string_view array, const VisitElement& visit) {
  RawReader reader(array);
  if (!reader.take('[')) {
    return false;
  }
  if (reader.take(']')) {
    return reader.is_at_end();
  }
  do {
    const auto value = reader.take_value();
    if (value.empty() || !visit(value)) {
      return false;
    }
  } while (reader.take(','));
  return reader.take(']') && reader.is_at_end();
}

bool is_raw_number_array(std::string_view text) {
  RawReader reader(text);
  if (!reader.take('[')) {
    return false;
  }
  if (reader.take(']')) {
    return reader.is_at_end();
  }
  do {
    if (!reader.take_number()) {
      return false;
    }
  } while (reader.take(','));
  return reader.take(']') && reader.is_at_end();
}

bool is_raw_base64(std::string_view text) {
  constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  if (text.size() < 2 || !text.starts_with('"') || !text.ends_with('"')) {
    return false;
  }
  text = text.substr(1, text.size() - 2);
  if (text.size() % 4 != 0) {
    return false;
  }
  for (int padding = 0; padding < 2 && text.ends_with('='); ++padding) {
    text.remove_suffix(1);
  }
  return text.find_first_not_of(kAlphabet) == std::string_view::npos;
}

}  // namespace llm_edge_cache::proxy
