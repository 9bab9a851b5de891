// The header fields of a message, in order, as they came.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace llm_edge_cache::http {

namespace detail {
[[nodiscard]] bool same_size_equals_ignore_case(std::string_view a, std::string_view b);
}

// ASCII only, as field names are.
[[nodiscard]] inline bool equals_ignore_case(std::string_view a, std::string_view b) {
  return a.size() == b.size() && detail::same_size_equals_ignore_case(a, b);
}

struct HeaderField {
  std::string_view name;
  std::string_view value;
};

// Fields keep their order, case and duplicates; lookup ignores case and is linear, which beats a
// map at the dozen fields a message has. All text lies in one buffer that clear() keeps, so views
// stay valid only until the next add, set or clear. Not thread-safe.
class Headers {
 public:
  class Iterator;

  Headers() = default;
  Headers(std::initializer_list<HeaderField> fields);

  // Appends, whatever is there. name and value must not point into these headers.
  void add(std::string_view name, std::string_view value);
  // Replaces every field of that name by one, at the place of the first.
  void set(std::string_view name, std::string_view value);
  // Writes value over that of the first field of that name, which must have as many bytes.
  void overwrite(std::string_view name, std::string_view value);
  // How many went.
  std::size_t erase(std::string_view name);
  // Every field whose name begins so, case ignored; how many went.
  std::size_t erase_prefixed(std::string_view prefix);
  void clear();

  // The first of that name.
  [[nodiscard]] std::optional<std::string_view> get(std::string_view name) const;
  [[nodiscard]] bool contains(std::string_view name) const { return get(name).has_value(); }
  [[nodiscard]] std::size_t count(std::string_view name) const;
  [[nodiscard]] std::vector<std::string_view> all(std::string_view name) const;
  // True when a field of that name has token among its comma-separated members, case ignored.
  [[nodiscard]] bool has_token(std::string_view name, std::string_view token) const;

  [[nodiscard]] std::size_t size() const { return fields_.size(); }
  [[nodiscard]] bool empty() const { return fields_.empty(); }
  // Calls visit(value) for each field of that name.
  template <class Visit>
  void for_each(std::string_view name, Visit visit) const;
  // Of what clear() keeps.
  [[nodiscard]] std::size_t memory_bytes() const {
    return text_.capacity() + fields_.capacity() * sizeof(Span);
  }

  [[nodiscard]] HeaderField operator[](std::size_t index) const { return field(fields_[index]); }
  [[nodiscard]] Iterator begin() const;
  [[nodiscard]] Iterator end() const;

 private:
  struct Span {
    std::uint32_t name_at;
    std::uint32_t name_size;
    std::uint32_t value_at;
    std::uint32_t value_size;
  };

  [[nodiscard]] HeaderField field(const Span& span) const {
    return {name_of(span), value_of(span)};
  }
  [[nodiscard]] std::string_view name_of(const Span& span) const {
    return {text_.data() + span.name_at, span.name_size};
  }
  [[nodiscard]] std::string_view value_of(const Span& span) const {
    return {text_.data() + span.value_at, span.value_size};
  }
  // Most names differ in length, so few are looked at.
  [[nodiscard]] bool is_named(const Span& span, std::string_view name) const {
    return equals_ignore_case(name_of(span), name);
  }
  [[nodiscard]] Span append(std::string_view name, std::string_view value);

  std::string text_;
  std::vector<Span> fields_;
};

class Headers::Iterator {
 public:
  Iterator(const Headers& headers, std::size_t index) : headers_(&headers), index_(index) {}
  HeaderField operator*() const { return (*headers_)[index_]; }
  Iterator& operator++() {
    ++index_;
    return *this;
  }
  friend bool operator==(const Iterator&, const Iterator&) = default;

 private:
  const Headers* headers_;
  std::size_t index_;
};

inline Headers::Iterator Headers::begin() const {
  return {*this, 0};
}
inline Headers::Iterator Headers::end() const {
  return {*this, fields_.size()};
}

template <class Visit>
void Headers::for_each(std::string_view name, Visit visit) const {
  for (const Span& span : fields_) {
    if (is_named(span, name)) visit(value_of(span));
  }
}

// Whether a field can have this name (RFC 9110, 5.1).
[[nodiscard]] bool is_field_name(std::string_view text);
// No control character but the tab: nothing that could end the field.
[[nodiscard]] bool is_field_value(std::string_view text);

// Case ignored.
[[nodiscard]] inline bool has_prefix(std::string_view name, std::string_view prefix) {
  return name.size() >= prefix.size() && equals_ignore_case(name.substr(0, prefix.size()), prefix);
}

// Calls visit(token) for each member of a comma-separated list, white space trimmed, empty ones
// left out (RFC 9110, 5.6.1). Quoted commas are not handled: none of our list fields has them.
template <class Visit>
void for_each_token(std::string_view list, Visit visit) {
  while (!list.empty()) {
    const std::size_t comma = list.find(',');
    std::string_view token = list.substr(0, comma);
    list = comma == std::string_view::npos ? std::string_view() : list.substr(comma + 1);
    const std::size_t first = token.find_first_not_of(" \t");
    if (first == std::string_view::npos) continue;
    visit(token.substr(first, token.find_last_not_of(" \t") - first + 1));
  }
}

}  // namespace llm_edge_cache::http
