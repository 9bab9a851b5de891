#include "proxy/dialects/answer_json.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "core/parsed_json.hpp"

namespace llm_edge_cache::proxy {
namespace {

namespace dom = simdjson::dom;

// Of names within an object: what finding and merging its members may cost, some 60 ms, and for the
// largest requests as much as parsing them. Without a bound 0.8 MB of members, all in one object,
// take 15 s.
constexpr std::size_t kLeastComparisons = 1U << 24U;
constexpr std::size_t kComparisonsPerByte = 4;

// Looks at the names of one object after another.
class NameChecker {
 public:
  // False where one is there twice.
  bool are_unique(dom::object object) {
    names_.clear();
    for (const auto [name, value] : object) {
      names_.push_back(name);
    }
    return names_.size() <= kFew ? few_are_unique() : many_are_unique();
  }

  [[nodiscard]] std::size_t count() const { return names_.size(); }

 private:
  static constexpr std::size_t kFew = 12;  // so many are compared in less time than sorted

  [[nodiscard]] bool few_are_unique() const {
    for (auto name = names_.begin(); name != names_.end(); ++name) {
      if (std::find(names_.begin(), name, *name) != name) {
        return false;
      }
    }
    return true;
  }

  bool many_are_unique() {
    std::ranges::sort(names_);
    return std::ranges::adjacent_find(names_) == names_.end();
  }

  std::vector<std::string_view> names_;
};

// NOLINTNEXTLINE(misc-no-recursion): the parser bounds the depth
bool have_unique_names(dom::element value, NameChecker& names) {
  if (value.is_array()) {
    const dom::array elements = value.get_array().value_unsafe();
    return std::all_of(elements.begin(), elements.end(),
                       [&](dom::element element) { return have_unique_names(element, names); });
  }
  if (!value.is_object()) {
    return true;
  }
  const dom::object object = value.get_object().value_unsafe();
  return names.are_unique(object) &&
         std::all_of(object.begin(), object.end(),
                     [&](const auto& member) { return have_unique_names(member.value, names); });
}

// Makes a Json of what simdjson read: its own parser takes five times as long.
class TreeBuilder {
 public:
  explicit TreeBuilder(std::size_t text_bytes)
      : most_comparisons_(std::max(kLeastComparisons, text_bytes * kComparisonsPerByte)) {}

  // False where the value is beyond our bounds.
  // NOLINTNEXTLINE(misc-no-recursion): the parser bounds the depth
  bool build(dom::element value, Json& result) {
    switch (value.type()) {
      case dom::element_type::OBJECT:
        return build_object(value.get_object().value_unsafe(), result);
      case dom::element_type::ARRAY:
        return build_array(value.get_array().value_unsafe(), result);
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
  static Json whole_number(std::int64_t number) {
    return number < 0 ? Json(number) : Json(static_cast<std::uint64_t>(number));
  }

  // NOLINTNEXTLINE(misc-no-recursion)
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

  // NOLINTNEXTLINE(misc-no-recursion)
  bool build_object(dom::object object, Json& result) {
    if (!names_.are_unique(object) || !count_comparisons(names_.count())) {
      return false;
    }
    result = Json::object();
    auto& members = result.get_ref<Json::object_t&>();
    members.reserve(names_.count());
    for (const auto [name, value] : object) {
      // operator[] would look for the name among all before it.
      if (!build(value, members.emplace_back(std::string(name), nullptr).second)) {
        return false;
      }
    }
    return true;
  }

  bool count_comparisons(std::size_t members) {
    comparisons_ += members * members / 2;
    return comparisons_ <= most_comparisons_;
  }

  const std::size_t most_comparisons_;
  std::size_t comparisons_ = 0;
  NameChecker names_;  // of the object at hand
};

}  // namespace

std::optional<Json> parse_answer_json(std::string_view text) {
  std::optional<Json> result;
  const auto json = ParsedJson::parse(text);
  if (json.ok() && !TreeBuilder(text.size()).build(json->root(), result.emplace())) {
    result.reset();
  }
  return result;
}

bool has_unique_names(const ParsedJson& json) {
  NameChecker names;
  return have_unique_names(json.root(), names);
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

bool is_tool_input(std::string_view text) {
  return text.empty() || Json::accept(text);
}

bool says_the_same(const Json& a, const Json& b) {
  return nlohmann::json(a) == nlohmann::json(b);
}

}  // namespace llm_edge_cache::proxy
