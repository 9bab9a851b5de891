#include "proxy/dialects/json_view.hpp"

#include <algorithm>
#include <bit>
#include <limits>
#include <nlohmann/json.hpp>
#include <type_traits>

#include "core/parsed_json.hpp"

namespace llm_edge_cache::proxy {
namespace {

namespace dom = simdjson::dom;
using Json = nlohmann::ordered_json;

using Kind = JsonView::Kind;

const Json& null_json() {
  static const Json null;
  return null;
}

template <class Place>
dom::element element_at(const Place& place) {
  static_assert(std::is_trivially_copyable_v<dom::element>);
  return std::bit_cast<dom::element>(place);
}

template <class Place>
dom::array::iterator iterator_at(const Place& place) {
  static_assert(std::is_trivially_copyable_v<dom::array::iterator>);
  return std::bit_cast<dom::array::iterator>(place);
}

Kind kind_of(const Json& value) {
  switch (value.type()) {
    case Json::value_t::boolean:
      return value.get<bool>() ? Kind::kTrue : Kind::kFalse;
    case Json::value_t::number_integer:
    case Json::value_t::number_unsigned:
    case Json::value_t::number_float:
      return Kind::kNumber;
    case Json::value_t::string:
      return Kind::kString;
    case Json::value_t::array:
      return Kind::kArray;
    case Json::value_t::object:
      return Kind::kObject;
    default:
      return Kind::kNull;
  }
}

Kind kind_of(dom::element value) {
  switch (value.type()) {
    case dom::element_type::BOOL:
      return value.get_bool().value_unsafe() ? Kind::kTrue : Kind::kFalse;
    case dom::element_type::INT64:
    case dom::element_type::UINT64:
    case dom::element_type::DOUBLE:
      return Kind::kNumber;
    case dom::element_type::STRING:
      return Kind::kString;
    case dom::element_type::ARRAY:
      return Kind::kArray;
    case dom::element_type::OBJECT:
      return Kind::kObject;
    default:
      return Kind::kNull;
  }
}

std::optional<std::uint64_t> whole_number(const Json& value) {
  return value.is_number_unsigned() ? std::optional(value.get<std::uint64_t>()) : std::nullopt;
}

// simdjson takes neither a negative number for one nor a fraction.
std::optional<std::uint64_t> whole_number(dom::element value) {
  std::uint64_t number = 0;
  return value.get(number) == simdjson::SUCCESS ? std::optional(number) : std::nullopt;
}

}  // namespace

JsonView::JsonView() : made_(&null_json()) {}

JsonView JsonView::of(const ParsedJson& json) {
  return JsonView(std::bit_cast<Place>(json.root()));
}

Kind JsonView::kind() const {
  return made_ != nullptr ? kind_of(*made_) : kind_of(element_at(parsed_));
}

bool JsonView::is_empty() const {
  if (made_ != nullptr) {
    return made_->empty();
  }
  if (is_object()) {
    const dom::object members = element_at(parsed_).get_object().value_unsafe();
    return !(members.begin() != members.end());
  }
  return is_array() ? begin() == end() : is_null();
}

std::string_view JsonView::text() const {
  if (!is_string()) {
    return {};
  }
  return made_ != nullptr ? std::string_view(made_->get_ref<const std::string&>())
                          : element_at(parsed_).get_string().value_unsafe();
}

std::optional<std::uint32_t> JsonView::count() const {
  const auto number = made_ != nullptr ? whole_number(*made_) : whole_number(element_at(parsed_));
  if (!number || *number > std::numeric_limits<std::uint32_t>::max()) {
    return std::nullopt;
  }
  return static_cast<std::uint32_t>(*number);
}

std::optional<double> JsonView::number() const {
  if (kind() != Kind::kNumber) {
    return std::nullopt;
  }
  return made_ != nullptr ? made_->get<double>() : element_at(parsed_).get_double().value_unsafe();
}

JsonView JsonView::operator[](std::string_view name) const {
  JsonView found;
  if (!is_object()) {
    return found;
  }
  if (made_ != nullptr) {
    const auto member = made_->find(name);
    return member == made_->end() ? found : JsonView(*member);
  }
  const dom::object object = element_at(parsed_).get_object().value_unsafe();
  for (const auto [key, value] : object) {
    if (key == name) {
      found = JsonView(std::bit_cast<Place>(value));
    }
  }
  return found;
}

bool has_only(JsonView value, std::initializer_list<std::string_view> names) {
  const auto is_one = [names](std::string_view name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  if (!value.is_object()) {
    return false;
  }
  if (value.made_ != nullptr) {
    const auto& members = value.made_->get_ref<const Json::object_t&>();
    return std::all_of(members.begin(), members.end(),
                       [&](const auto& member) { return is_one(member.first); });
  }
  const dom::object members = element_at(value.parsed_).get_object().value_unsafe();
  return std::all_of(members.begin(), members.end(),
                     [&](const auto& member) { return is_one(member.key); });
}

JsonView::Iterator JsonView::begin() const {
  Iterator first;
  if (is_array() && made_ != nullptr) {
    first.made_ = made_->get_ref<const Json::array_t&>().data();
  } else if (is_array()) {
    first.parsed_ = std::bit_cast<Place>(element_at(parsed_).get_array().value_unsafe().begin());
  }
  return first;
}

JsonView::Iterator JsonView::end() const {
  Iterator last;
  if (is_array() && made_ != nullptr) {
    last.made_ = made_->get_ref<const Json::array_t&>().data() + made_->size();
  } else if (is_array()) {
    last.parsed_ = std::bit_cast<Place>(element_at(parsed_).get_array().value_unsafe().end());
  }
  return last;
}

JsonView JsonView::Iterator::operator*() const {
  return made_ != nullptr ? JsonView(*made_)
                          : JsonView(std::bit_cast<Place>(*iterator_at(parsed_)));
}

JsonView::Iterator& JsonView::Iterator::operator++() {
  if (made_ != nullptr) {
    ++made_;
  } else {
    auto next = iterator_at(parsed_);
    parsed_ = std::bit_cast<Place>(++next);
  }
  return *this;
}

}  // namespace llm_edge_cache::proxy
