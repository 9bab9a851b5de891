#include "http/headers.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace llm_edge_cache::http {
namespace {

// RFC 9110, 5.6.2.
constexpr std::array<bool, 256> make_token_table() {
  std::array<bool, 256> table{};
  for (char c = 'a'; c <= 'z'; ++c) table[static_cast<unsigned char>(c)] = true;
  for (char c = 'A'; c <= 'Z'; ++c) table[static_cast<unsigned char>(c)] = true;
  for (char c = '0'; c <= '9'; ++c) table[static_cast<unsigned char>(c)] = true;
  for (const char c : std::string_view("!#$%&'*+-.^_`|~")) {
    table[static_cast<unsigned char>(c)] = true;
  }
  return table;
}
constexpr std::array<bool, 256> kTokenChar = make_token_table();

constexpr char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

constexpr std::uint64_t each_byte(std::uint64_t value) {
  return value * 0x0101'0101'0101'0101U;
}

std::uint64_t word_at(const char* bytes) {
  std::uint64_t word = 0;
  std::memcpy(&word, bytes, sizeof word);
  return word;
}

// Eight characters at once. The high bit of each byte of is_capital tells if it lies in 'A'..'Z';
// no sum carries into the next byte, for the high bits are put aside.
constexpr std::uint64_t lower(std::uint64_t word) {
  const std::uint64_t low_bits = word & each_byte(0x7f);
  const std::uint64_t from_a = low_bits + each_byte(0x80 - 'A');
  const std::uint64_t past_z = low_bits + each_byte(0x80 - 'Z' - 1);
  const std::uint64_t is_capital = from_a & ~past_z & ~word & each_byte(0x80);
  return word | is_capital >> 2U;
}

constexpr std::uint64_t in_each_byte(std::uint64_t byte) {
  return byte * 0x0101010101010101U;
}

// False where no byte is below 0x20 or is 0x7f. A byte of zero is the one from which subtracting 1
// borrows; the same for all below 0x20.
bool may_have_control(std::uint64_t bytes) {
  const std::uint64_t low = (bytes - in_each_byte(0x20)) & ~bytes;
  const std::uint64_t no_delete = bytes ^ in_each_byte(0x7f);
  const std::uint64_t deletes = (no_delete - in_each_byte(1)) & ~no_delete;
  return ((low | deletes) & in_each_byte(0x80)) != 0;
}

bool are_value_bytes(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte >= 0x20 || byte == '\t') && byte != 0x7f;
  });
}

}  // namespace

bool detail::same_size_equals_ignore_case(std::string_view a, std::string_view b) {
  constexpr std::size_t kWord = sizeof(std::uint64_t);
  std::size_t i = 0;
  for (; i + kWord <= a.size(); i += kWord) {
    const std::uint64_t x = word_at(a.data() + i);
    const std::uint64_t y = word_at(b.data() + i);
    if (x != y && lower(x) != lower(y)) return false;
  }
  for (; i < a.size(); ++i) {
    if (lower(a[i]) != lower(b[i])) return false;
  }
  return true;
}

Headers::Headers(std::initializer_list<HeaderField> fields) {
  for (const HeaderField& field : fields) add(field.name, field.value);
}

Headers::Span Headers::append(std::string_view name, std::string_view value) {
  Span span{};
  span.name_at = static_cast<std::uint32_t>(text_.size());
  span.name_size = static_cast<std::uint32_t>(name.size());
  text_.append(name);
  span.value_at = static_cast<std::uint32_t>(text_.size());
  span.value_size = static_cast<std::uint32_t>(value.size());
  text_.append(value);
  return span;
}

void Headers::add(std::string_view name, std::string_view value) {
  fields_.push_back(append(name, value));
}

void Headers::set(std::string_view name, std::string_view value) {
  const auto same_name = [&](const Span& span) { return is_named(span, name); };
  const auto first = std::find_if(fields_.begin(), fields_.end(), same_name);
  if (first == fields_.end()) {
    add(name, value);
    return;
  }
  fields_.erase(std::remove_if(first + 1, fields_.end(), same_name), fields_.end());
  *first = append(name, value);
}

void Headers::overwrite(std::string_view name, std::string_view value) {
  const auto same_name = [&](const Span& span) { return is_named(span, name); };
  const auto field = std::find_if(fields_.begin(), fields_.end(), same_name);
  if (field == fields_.end() || field->value_size != value.size()) return;
  std::copy(value.begin(), value.end(),
            text_.begin() + static_cast<std::ptrdiff_t>(field->value_at));
}

std::size_t Headers::erase(std::string_view name) {
  return std::erase_if(fields_, [&](const Span& span) { return is_named(span, name); });
}

std::size_t Headers::erase_prefixed(std::string_view prefix) {
  return std::erase_if(fields_,
                       [&](const Span& span) { return has_prefix(name_of(span), prefix); });
}

void Headers::clear() {
  text_.clear();
  fields_.clear();
}

std::optional<std::string_view> Headers::get(std::string_view name) const {
  for (const Span& span : fields_) {
    if (is_named(span, name)) return value_of(span);
  }
  return std::nullopt;
}

std::size_t Headers::count(std::string_view name) const {
  return static_cast<std::size_t>(std::count_if(
      fields_.begin(), fields_.end(), [&](const Span& span) { return is_named(span, name); }));
}

std::vector<std::string_view> Headers::all(std::string_view name) const {
  std::vector<std::string_view> values;
  for_each(name, [&](std::string_view value) { values.push_back(value); });
  return values;
}

bool Headers::has_token(std::string_view name, std::string_view token) const {
  bool found = false;
  for_each(name, [&](std::string_view list) {
    for_each_token(
        list, [&](std::string_view member) { found = found || equals_ignore_case(member, token); });
  });
  return found;
}

bool is_field_name(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return kTokenChar[static_cast<unsigned char>(c)];
  });
}

bool is_field_value(std::string_view text) {
  const char* at = text.data();
  std::size_t left = text.size();
  for (; left >= sizeof(std::uint64_t);
       at += sizeof(std::uint64_t), left -= sizeof(std::uint64_t)) {
    std::uint64_t bytes = 0;
    std::memcpy(&bytes, at, sizeof bytes);
    if (may_have_control(bytes) && !are_value_bytes({at, sizeof bytes})) return false;
  }
  return are_value_bytes({at, left});
}

}  // namespace llm_edge_cache::http
