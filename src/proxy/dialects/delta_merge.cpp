#include "proxy/dialects/delta_merge.hpp"

#include <algorithm>
#include <array>
#include <string>

namespace llm_edge_cache::proxy {
namespace {

constexpr std::array<std::string_view, 10> kGrowingMembers = {
    "content", "refusal", "reasoning_content", "reasoning", "thinking",
    "summary", "text",    "arguments",         "input",     "transcript"};
// Those that streams say again and again, each time in full. Text of another member that comes
// twice may be the same piece twice, as "ha" and "ha" of "haha".
constexpr std::array<std::string_view, 5> kRepeatedMembers = {"role", "id", "type", "name",
                                                              "format"};
constexpr std::string_view kBase64Member = "data";
constexpr std::string_view kAppendedMember = "annotations";

// Elements that can grow at a time. Without a bound, a stream of ever new indices would cost the
// square of its length.
constexpr std::size_t kMaxOpenElements = 256;

bool merge(std::string_view name, Json& target, const Json& delta);

bool is_one_of(std::string_view name, const auto& names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool is_blank(const Json& value) {
  return value.is_null() || value == Json("") || value == Json(0);
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

bool merge_element(Json& array, const Json& element) {
  const Json& index = member_of(element, "index");
  if (!index.is_number_integer()) {
    return false;
  }
  if (Json* const found = find_by_index(array, index)) {
    return merge({}, *found, element);
  }
  const bool is_next = index == array.size();
  array.push_back(element);
  return is_next;
}

bool merge_array(std::string_view name, Json& target, const Json& delta) {
  if (name == kAppendedMember) {
    target.insert(target.end(), delta.begin(), delta.end());
    return true;
  }
  if (target == delta && (delta.empty() || !delta.front().contains("index"))) {
    return delta.empty() || !is_growing_member(name);
  }
  bool is_exact = true;
  for (const auto& element : delta) {
    is_exact = merge_element(target, element) && is_exact;
  }
  return is_exact;
}

// Encoded bytes go on where the encoding so far is not padded.
bool append_base64(std::string& target, const std::string& delta) {
  const bool is_open = target.size() % 4 == 0 && !target.ends_with('=');
  target += delta;
  return is_open || delta.empty();
}

bool merge_text(std::string_view name, Json& target, const Json& delta) {
  auto& text = target.get_ref<std::string&>();
  const auto& more = delta.get_ref<const std::string&>();
  if (name == kBase64Member) {
    return append_base64(text, more);
  }
  if (is_growing_member(name)) {
    text += more;
    return true;
  }
  const bool is_piece = !text.empty() && !more.empty() && !is_one_of(name, kRepeatedMembers);
  return merge_repeated(target, delta) && !is_piece;
}

bool merge_object(Json& target, const Json& delta) {
  bool is_exact = true;
  for (const auto& [name, value] : delta.items()) {
    const auto existing = target.find(name);
    if (existing != target.end()) {
      is_exact = merge(name, *existing, value) && is_exact;
    } else if (value.is_array() && name == "tool_calls") {
      target[name] = Json::array();
      is_exact = merge_array(name, target[name], value) && is_exact;
    } else {
      target[name] = value;
    }
  }
  return is_exact;
}

bool merge(std::string_view name, Json& target, const Json& delta) {
  if (delta.is_null()) {
    return true;
  }
  if (target.is_string() && delta.is_string()) {
    return merge_text(name, target, delta);
  }
  if (target.is_object() && delta.is_object()) {
    return merge_object(target, delta);
  }
  if (target.is_array() && delta.is_array()) {
    return merge_array(name, target, delta);
  }
  return merge_repeated(target, delta);
}

}  // namespace

bool merge_delta(Json& target, const Json& delta) {
  return merge({}, target, delta);
}

bool is_growing_member(std::string_view name) {
  return is_one_of(name, kGrowingMembers);
}

bool append_logprobs(Json& target, const Json& delta) {
  if (delta.is_null()) {
    return true;
  }
  if (target.is_null()) {
    target = Json::object();
  }
  bool is_exact = delta.is_object();
  for (const auto& [name, value] : delta.items()) {
    Json& list = target[name];
    if (list.is_null()) {
      list = value;
    } else if (list.is_array() && value.is_array()) {
      list.insert(list.end(), value.begin(), value.end());
    } else {
      is_exact = is_exact && value.is_null();
    }
  }
  return is_exact;
}

bool merge_repeated(Json& object, const std::string& name, const Json& value) {
  const auto known = object.find(name);
  if (known != object.end()) {
    return merge_repeated(*known, value);
  }
  object[name] = value;
  return true;
}

bool merge_repeated(Json& target, const Json& value) {
  if (is_blank(value) || target == value) {
    return true;
  }
  const bool was_blank = is_blank(target);
  target = value;
  return was_blank;
}

}  // namespace llm_edge_cache::proxy
