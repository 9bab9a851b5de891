#include "proxy/answer_json.hpp"

#include <algorithm>
#include <array>
#include <string>

namespace llm_edge_cache::proxy {
namespace {

constexpr std::array<std::string_view, 5> kNamingMembers = {"id", "type", "role", "index",
                                                            "format"};

// Elements that can grow at a time. Without a bound, a stream of ever new indices would cost the
// square of its length.
constexpr std::size_t kMaxOpenElements = 256;

// Brackets outside strings; whether they match is the parser's business.
bool is_within_depth(std::string_view text) {
  int depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') {
        ++i;
      } else if (c == '"') {
        in_string = false;
      }
    } else if (c == '"') {
      in_string = true;
    } else if (c == '[' || c == '{') {
      if (++depth > kMaxAnswerDepth) {
        return false;
      }
    } else if (c == ']' || c == '}') {
      --depth;
    }
  }
  return true;
}

// Null where no element of late has this index.
Json* find_by_index(Json& array, const Json& index) {
  const auto searched = std::min(array.size(), kMaxOpenElements);
  for (std::size_t i = array.size(); i > array.size() - searched; --i) {
    if (member_of(array[i - 1], "index") == index) {
      return &array[i - 1];
    }
  }
  return nullptr;
}

void merge_array(Json& target, const Json& delta) {
  for (const auto& element : delta) {
    const Json& index = member_of(element, "index");
    Json* const found = index.is_number_integer() ? find_by_index(target, index) : nullptr;
    if (found == nullptr) {
      target.push_back(element);
    } else {
      merge_delta(*found, element);
    }
  }
}

void merge_object(Json& target, const Json& delta) {
  for (const auto& [name, value] : delta.items()) {
    const auto existing = target.find(name);
    const bool is_naming =
        std::find(kNamingMembers.begin(), kNamingMembers.end(), name) != kNamingMembers.end();
    if (existing == target.end()) {
      target[name] = value;
    } else if (is_naming && !value.is_null()) {
      *existing = value;
    } else {
      merge_delta(*existing, value);
    }
  }
}

}  // namespace

std::optional<Json> parse_answer_json(std::string_view text) {
  if (!is_within_depth(text)) {
    return std::nullopt;
  }
  auto value = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (value.is_discarded()) {
    return std::nullopt;
  }
  return value;
}

const Json& member_of(const Json& value, std::string_view name) {
  static const Json kNull;
  if (!value.is_object()) {
    return kNull;
  }
  const auto found = value.find(name);
  return found == value.end() ? kNull : *found;
}

void merge_delta(Json& target, const Json& delta) {
  if (delta.is_null()) {
    return;
  }
  if (target.is_string() && delta.is_string()) {
    target.get_ref<std::string&>() += delta.get_ref<const std::string&>();
  } else if (target.is_object() && delta.is_object()) {
    merge_object(target, delta);
  } else if (target.is_array() && delta.is_array()) {
    merge_array(target, delta);
  } else {
    target = delta;
  }
}

}  // namespace llm_edge_cache::proxy
