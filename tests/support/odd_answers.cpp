#include "tests/support/odd_answers.hpp"

#include <array>
#include <set>
#include <utility>

#include "proxy/dialects/event_blocks.hpp"

namespace llm_edge_cache::test {
namespace {

constexpr std::size_t kMostChanges = 4;

using Json = nlohmann::ordered_json;

template <class Visit>
void visit_all(Json& value, const Visit& visit) {
  visit(value);
  if (value.is_structured()) {
    for (auto& part : value) visit_all(part, visit);
  }
}

std::vector<OddEvent> read_events(std::string_view stream) {
  std::vector<OddEvent> events;
  for (const auto block : proxy::event_blocks(stream)) {
    OddEvent event{std::string(proxy::event_type(block)), proxy::event_data(block), {}};
    event.json = Json::parse(event.data, nullptr, false);
    events.push_back(std::move(event));
  }
  return events;
}

std::string write_events(const std::vector<OddEvent>& events) {
  std::string out;
  for (const auto& event : events) {
    proxy::append_event(out, event.type,
                        event.json.is_discarded() ? event.data : event.json.dump());
  }
  return out;
}

std::vector<Json::json_pointer> objects_in(const Json& value, const Json::json_pointer& place) {
  std::vector<Json::json_pointer> found;
  if (value.is_object()) found.push_back(place);
  for (const auto& [name, part] : value.items()) {
    if (!part.is_structured()) continue;
    const auto at = value.is_array() ? place / std::stoul(name) : place / name;
    const auto within = objects_in(part, at);
    found.insert(found.end(), within.begin(), within.end());
  }
  return found;
}

void add_names(const Json& value, std::set<std::string>& names) {
  for (const auto& [name, part] : value.items()) {
    if (value.is_object()) names.insert(name);
    if (part.is_structured()) add_names(part, names);
  }
}

// Type and names.
std::string shape_of(const OddEvent& event) {
  std::set<std::string> names;
  add_names(event.json, names);
  std::string shape = event.type;
  for (const auto& name : names) shape.append(1, '/').append(name);
  return shape;
}

void for_each_odd_member_of(const Json& whole, const std::set<std::string>& names,
                            const std::function<void(const Json&)>& visit) {
  Json changed = whole;
  for (const auto& place : objects_in(whole, Json::json_pointer())) {
    for (const auto& name : names) {
      for (const Json& value : {Json(nullptr), Json("odd"), Json::array()}) {
        changed[place][name] = value;
        visit(changed);
        changed = whole;
      }
    }
  }
}

}  // namespace

void for_each_odd_member(std::string_view stream, std::string_view body,
                         const std::function<void(const std::string&)>& visit) {
  const auto events = read_events(stream);
  std::set<std::string> names;
  add_names(Json::parse(body, nullptr, false), names);
  for (const auto& event : events) add_names(event.json, names);
  std::set<std::string> shapes;
  for (std::size_t i = 0; i < events.size(); ++i) {
    const auto& event = events[i];
    if (event.json.is_discarded() || !shapes.insert(shape_of(event)).second) continue;
    const auto at = events.begin() + static_cast<std::ptrdiff_t>(i);
    const std::string before = write_events({events.begin(), at});
    const std::string after = write_events({at + 1, events.end()});
    for_each_odd_member_of(event.json, names, [&](const Json& changed) {
      visit(before + write_events({{event.type, {}, changed}}) + after);
    });
  }
}

std::size_t OddAnswers::below(std::size_t bound) {
  return static_cast<std::size_t>(random_() % bound);
}

void OddAnswers::learn(const Json& value) {
  values_.push_back(value);
  if (value.is_object()) {
    for (const auto& [name, part] : value.items()) {
      names_.push_back(name);
      learn(part);
    }
  } else if (value.is_array()) {
    for (const auto& part : value) learn(part);
  }
}

std::string OddAnswers::change_stream(std::string_view stream) {
  auto events = read_events(stream);
  names_.clear();
  values_.clear();
  for (const auto& event : events) {
    if (!event.json.is_discarded()) learn(event.json);
  }
  if (values_.empty()) return std::string(stream);
  for (auto left = 1 + below(kMostChanges); left > 0; --left) change_events(events);
  return write_events(events);
}

std::string OddAnswers::change_body(std::string_view body) {
  Json json = Json::parse(body, nullptr, false);
  if (json.is_discarded()) return std::string(body);
  names_.clear();
  values_.clear();
  learn(json);
  for (auto left = 1 + below(kMostChanges); left > 0; --left) change(json);
  return json.dump();
}

void OddAnswers::change_events(std::vector<OddEvent>& events) {
  if (events.empty()) return;
  const std::size_t at = below(events.size());
  switch (below(8)) {
    case 0:
      events.erase(events.begin() + static_cast<std::ptrdiff_t>(at));
      break;
    case 1:
      events.push_back(events[at]);
      break;
    case 2:
      std::swap(events[at], events[below(events.size())]);
      break;
    default:
      if (!events[at].json.is_discarded()) change(events[at].json);
  }
}

void OddAnswers::change(Json& root) {
  Json& place = any_of(root);
  if (place.is_object() && below(4) != 0) {
    change_object(place);
  } else if (place.is_array() && below(4) != 0) {
    change_array(place);
  } else {
    place = odd_value();
  }
}

void OddAnswers::change_object(Json& object) {
  if (names_.empty()) return;
  const std::string& name = names_[below(names_.size())];
  if (below(4) == 0) {
    object.erase(name);
  } else {
    object[name] = odd_value();
  }
}

void OddAnswers::change_array(Json& array) {
  if (below(2) == 0 || array.empty()) {
    array.push_back(odd_value());
  } else {
    array.erase(below(array.size()));
  }
}

// Of the answer itself as often as not.
OddAnswers::Json OddAnswers::odd_value() {
  static const std::array<Json, 11> kOdd = {
      nullptr, false,         true,          0, -1, 1.5, std::uint64_t{1} << 63U, "",
      "odd",   Json::array(), Json::object()};
  return below(2) == 0 ? values_[below(values_.size())] : kOdd[below(kOdd.size())];
}

OddAnswers::Json& OddAnswers::any_of(Json& root) {
  std::size_t count = 0;
  visit_all(root, [&](Json&) { ++count; });
  std::size_t left = below(count);
  Json* found = &root;
  visit_all(root, [&](Json& value) {
    if (left-- == 0) found = &value;
  });
  return *found;
}

}  // namespace llm_edge_cache::test
