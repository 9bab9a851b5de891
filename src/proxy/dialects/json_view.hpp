// A JSON value to be read, whoever holds it: a text that was parsed, or a Json that we made.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <iterator>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string_view>

namespace llm_edge_cache {
class ParsedJson;
}

namespace llm_edge_cache::proxy {

// A view, to be passed by value: it lives no longer than what it looks at. Reading allocates
// nothing. Thread-safe as far as what it looks at is.
class JsonView {
 public:
  class Iterator;
  enum class Kind { kNull, kFalse, kTrue, kNumber, kString, kArray, kObject };

  JsonView();                                    // null
  JsonView(const nlohmann::ordered_json& value)  // implicit: the two are read alike
      : made_(&value) {}
  // Of the whole text. No constructor: a Json would be tried for one.
  [[nodiscard]] static JsonView of(const ParsedJson& json);

  [[nodiscard]] Kind kind() const;
  [[nodiscard]] bool is_null() const { return kind() == Kind::kNull; }
  [[nodiscard]] bool is_false() const { return kind() == Kind::kFalse; }
  [[nodiscard]] bool is_true() const { return kind() == Kind::kTrue; }
  [[nodiscard]] bool is_string() const { return kind() == Kind::kString; }
  [[nodiscard]] bool is_array() const { return kind() == Kind::kArray; }
  [[nodiscard]] bool is_object() const { return kind() == Kind::kObject; }
  // Null, or an array or object without elements.
  [[nodiscard]] bool is_empty() const;

  // The text, or empty text where the value is none.
  [[nodiscard]] std::string_view text() const;
  // Empty where the value is no whole number from 0 to 2^32 - 1.
  [[nodiscard]] std::optional<std::uint32_t> count() const;
  // Empty where the value is no number.
  [[nodiscard]] std::optional<double> number() const;

  // The member, the last where the object has several of that name; null where there is none, or
  // the value is no object.
  [[nodiscard]] JsonView operator[](std::string_view name) const;

  // The elements of an array; of anything else there are none.
  [[nodiscard]] Iterator begin() const;
  [[nodiscard]] Iterator end() const;

  // True for an object that has no member but these.
  friend bool has_only(JsonView value, std::initializer_list<std::string_view> names);

  // Whether the value is this text.
  friend bool operator==(JsonView value, std::string_view text) {
    return value.is_string() && value.text() == text;
  }

 private:
  // An element or an iterator of simdjson, whose header is not for everybody to read.
  struct Place {
    const void* document = nullptr;
    std::size_t index = 0;
    friend bool operator==(const Place&, const Place&) = default;
  };

  explicit JsonView(Place parsed) : parsed_(parsed) {}

  const nlohmann::ordered_json* made_ = nullptr;
  Place parsed_;  // where that is null
};

[[nodiscard]] bool has_only(JsonView value, std::initializer_list<std::string_view> names);

class JsonView::Iterator {
 public:
  using difference_type = std::ptrdiff_t;
  using value_type = JsonView;
  using pointer = void;
  using reference = JsonView;
  using iterator_category = std::input_iterator_tag;

  [[nodiscard]] JsonView operator*() const;
  Iterator& operator++();

  friend bool operator==(const Iterator&, const Iterator&) = default;

 private:
  friend class JsonView;

  const nlohmann::ordered_json* made_ = nullptr;
  Place parsed_;
};

}  // namespace llm_edge_cache::proxy
