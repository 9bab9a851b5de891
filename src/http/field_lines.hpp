// Header fields of an answer that is made often, as the bytes that are sent: nothing is stored and
// read again to write a head.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <type_traits>

#include "base/text_cursor.hpp"
#include "http/headers.hpp"

namespace llm_edge_cache::http {

// A name that is judged when the program is built: a token, and none of the fields that a
// connection writes itself.
template <std::size_t kSize>
struct FieldName {
  // NOLINTNEXTLINE(google-explicit-constructor): a literal is the name
  consteval FieldName(const char (&name)[kSize]) {
    std::copy_n(name, kSize, text);
    const std::string_view view(text, kSize - 1);
    if (view.empty() || !std::all_of(view.begin(), view.end(), is_name_char)) {
      throw "a field name is one or more letters, digits and hyphens";
    }
    for (const std::string_view own :
         {"connection", "content-length", "date", "keep-alive", "transfer-encoding"}) {
      if (std::equal(view.begin(), view.end(), own.begin(), own.end(),
                     [](char a, char b) { return to_lower(a) == b; })) {
        throw "this field is the connection's";
      }
    }
  }

  char text[kSize];

 private:
  static constexpr char to_lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  static constexpr bool is_name_char(char c) {
    const char lower = to_lower(c);
    return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') || c == '-';
  }
};

class FieldLines {
 public:
  // Keeps the memory.
  void clear() {
    size_ = 0;
    is_sendable_ = true;
  }

  // One field: `add<"Age">("3")`. Parts of its value: literals, string_views, or what converts to
  // one and cannot hold anything bad, such as Decimal.
  template <FieldName kName, class... Parts>
  void add(const Parts&... parts) {
    (check(parts), ...);
    TextCursor cursor(room(sizeof kName.text + (size_of(parts) + ... + 0) + 4));
    cursor.put(kName.text);
    cursor.put(": ");
    (cursor.put(parts), ...);
    cursor.put("\r\n");
    size_ = static_cast<std::size_t>(cursor.at() - memory_.data());
  }

  // False once a value had bytes that would break the message; such a field is not sent.
  [[nodiscard]] bool is_sendable() const { return is_sendable_; }
  // "Name: value\r\n" for each.
  [[nodiscard]] std::string_view text() const { return {memory_.data(), size_}; }

 private:
  template <class Part>
  void check(const Part& part) {
    if constexpr (std::is_same_v<Part, std::string_view> || std::is_same_v<Part, std::string>) {
      is_sendable_ = is_sendable_ && is_field_value(part);
    }
  }
  template <class Part>
  static std::size_t size_of(const Part& part) {
    return std::string_view(part).size();
  }
  // Where `bytes` more can be written.
  [[nodiscard]] char* room(std::size_t bytes);

  std::string memory_;  // the first size_ bytes are the text
  std::size_t size_ = 0;
  bool is_sendable_ = true;
};

}  // namespace llm_edge_cache::http
