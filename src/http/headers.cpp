#include "http/headers.hpp"

#include <algorithm>
#include <cstddef>

namespace llm_edge_cache::http {
namespace {

constexpr char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

}  // namespace

bool detail::same_size_equals_ignore_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(),
                    [](char x, char y) { return x == y || lower(x) == lower(y); });
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
  const auto same_name = [&](const Span& span) {
    return equals_ignore_case(field(span).name, name);
  };
  const auto first = std::find_if(fields_.begin(), fields_.end(), same_name);
  if (first == fields_.end()) {
    add(name, value);
    return;
  }
  fields_.erase(std::remove_if(first + 1, fields_.end(), same_name), fields_.end());
  *first = append(name, value);
}

std::size_t Headers::erase(std::string_view name) {
  return std::erase_if(
      fields_, [&](const Span& span) { return equals_ignore_case(field(span).name, name); });
}

void Headers::clear() {
  text_.clear();
  fields_.clear();
}

std::optional<std::string_view> Headers::get(std::string_view name) const {
  for (const Span& span : fields_) {
    const HeaderField candidate = field(span);
    if (equals_ignore_case(candidate.name, name)) return candidate.value;
  }
  return std::nullopt;
}

std::size_t Headers::count(std::string_view name) const {
  return static_cast<std::size_t>(
      std::count_if(fields_.begin(), fields_.end(),
                    [&](const Span& span) { return equals_ignore_case(field(span).name, name); }));
}

std::vector<std::string_view> Headers::all(std::string_view name) const {
  std::vector<std::string_view> values;
  for (const HeaderField& candidate : *this) {
    if (equals_ignore_case(candidate.name, name)) values.push_back(candidate.value);
  }
  return values;
}

bool Headers::has_token(std::string_view name, std::string_view token) const {
  bool found = false;
  for (const HeaderField& candidate : *this) {
    if (!equals_ignore_case(candidate.name, name)) continue;
    for_each_token(candidate.value, [&](std::string_view member) {
      found = found || equals_ignore_case(member, token);
    });
  }
  return found;
}

}  // namespace llm_edge_cache::http
