#include "proxy/dialects/answer_json.hpp"

#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

#include "core/json_workspace.hpp"

namespace llm_edge_cache::proxy {
namespace {

namespace dom = simdjson::dom;

// Of names within an object: what finding and merging its members may cost, some 60 ms, and for the
// largest requests as much as parsing them. Without a bound 0.8 MB of members, all in one object,
// take 15 s.
constexpr std::size_t kLeastComparisons = 1U << 24U;
constexpr std::size_t kComparisonsPerByte = 4;

enum class SameNames { kRefused, kLastTaken };

// Makes a Json of what simdjson read: its own parser takes five times as long.
class TreeBuilder {
 public:
  TreeBuilder(std::size_t text_bytes, SameNames same_names)
      : most_comparisons_(std::max(kLeastComparisons, text_bytes * kComparisonsPerByte)),
        same_names_(same_names) {}

  // False where the value is beyond our bounds.
  bool build(dom::element value, Json& result) {
    switch (value.type()) {
      case dom::element_type::OBJECT:
        return enter() && build_object(value.get_object().value_unsafe(), result) && leave();
      case dom::element_type::ARRAY:
        return enter() && build_array(value.get_array().value_unsafe(), result) && leave();
      case dom::element_type::STRING:
        result = value.get_string().value_unsafe();
        return true;
      case dom::element_type::INT64:
        result = whole_number(value.get_int64().value_unsafe());
        return true;
      case dom::element_type::UINT64:
        result = value.get_uint64().value_unsafe();
        return true;
      case dom::element_type::DOUBLE:
        result = value.get_double().value_unsafe();
        return true;
      case dom::element_type::BOOL:
        result = value.get_bool().value_unsafe();
        return true;
      case dom::element_type::NULL_VALUE:
        result = nullptr;
        return true;
    }
    return true;
  }

 private:
  bool enter() { return ++depth_ <= kMaxAnswerDepth; }
  bool leave() { return --depth_ >= 0; }

  static Json whole_number(std::int64_t number) {
    return number < 0 ? Json(number) : Json(static_cast<std::uint64_t>(number));
  }

  // NOLINTNEXTLINE(misc-no-recursion): enter() bounds the depth
  bool build_array(dom::array array, Json& result) {
    result = Json::array();
    auto& elements = result.get_ref<Json::array_t&>();
    elements.reserve(array.size());
    for (const dom::element element : array) {
      if (!build(element, elements.emplace_back())) {
        return false;
      }
    }
    return true;
  }

  // NOLINTNEXTLINE(misc-no-recursion): enter() bounds the depth
  bool build_object(dom::object object, Json& result) {
    const bool has_same_names = sort_names(object);
    if (!count_comparisons(names_.size()) ||
        (has_same_names && same_names_ == SameNames::kRefused)) {
      return false;
    }
    result = Json::object();
    auto& members = result.get_ref<Json::object_t&>();
    members.reserve(names_.size());
    for (const auto [name, value] : object) {
      // operator[] looks for the name among all before it.
      auto& member = has_same_names ? members[std::string(name)]
                                    : members.emplace_back(std::string(name), nullptr).second;
      if (!build(value, member)) {
        return false;
      }
    }
    return true;
  }

  // True where one is there twice.
  bool sort_names(dom::object object) {
    names_.clear();
    for (const auto [name, value] : object) {
      names_.push_back(name);
    }
    std::ranges::sort(names_);
    return std::ranges::adjacent_find(names_) != names_.end();
  }

  bool count_comparisons(std::size_t members) {
    comparisons_ += members * members / 2;
    return comparisons_ <= most_comparisons_;
  }

  const std::size_t most_comparisons_;
  const SameNames same_names_;
  int depth_ = 0;
  std::size_t comparisons_ = 0;
  std::vector<std::string_view> names_;  // of the object at hand
};

std::optional<Json> parse(std::string_view text, SameNames same_names) {
  auto& workspace = JsonWorkspace::of_this_thread();
  std::optional<Json> result;
  if (const auto root = workspace.parse(text); root.ok()) {
    if (!TreeBuilder(text.size(), same_names).build(*root, result.emplace())) {
      result.reset();
    }
  }
  workspace.shrink();
  return result;
}

}  // namespace

std::optional<Json> parse_answer_json(std::string_view text) {
  return parse(text, SameNames::kRefused);
}

std::optional<Json> parse_request_json(std::string_view text) {
  return parse(text, SameNames::kLastTaken);
}

const Json& member_of(const Json& value, std::string_view name) {
  static const Json null;
  if (!value.is_object()) {
    return null;
  }
  const auto found = value.find(name);
  return found == value.end() ? null : *found;
}

std::string text_of(const Json& value) {
  return value.is_string() ? value.get<std::string>() : std::string();
}

std::optional<std::uint32_t> count_of(const Json& value) {
  if (!value.is_number_unsigned() ||
      value.get<std::uint64_t>() > std::numeric_limits<std::uint32_t>::max()) {
    return std::nullopt;
  }
  return value.get<std::uint32_t>();
}

bool is_tool_input(std::string_view text) {
  return text.empty() || Json::accept(text);
}

bool has_only(const Json& value, std::initializer_list<std::string_view> names) {
  if (!value.is_object()) {
    return false;
  }
  return std::all_of(value.items().begin(), value.items().end(), [&](const auto& member) {
    return std::find(names.begin(), names.end(), member.key()) != names.end();
  });
}

bool says_the_same(const Json& a, const Json& b) {
  return nlohmann::json(a) == nlohmann::json(b);
}

}  // namespace llm_edge_cache::proxy
