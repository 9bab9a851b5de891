// A provider's answers, changed in ways that keep them JSON: what byte by byte mutation seldom
// reaches. Members come where others belong, values of one kind where another is expected.
#pragma once

#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace llm_edge_cache::test {

// The same seed gives the same changes. Not thread-safe.
struct OddEvent {
  std::string type;
  std::string data;
  nlohmann::ordered_json json;  // of the data; discarded where that is none
};

class OddAnswers {
 public:
  explicit OddAnswers(std::uint64_t seed) : random_(seed) {}

  // Events that go, come twice or change places, and members of them; the last blank line stays.
  // The stream as it is where no event of it is JSON.
  [[nodiscard]] std::string change_stream(std::string_view stream);
  // The text as it is where it is no JSON.
  [[nodiscard]] std::string change_body(std::string_view body);

 private:
  using Json = nlohmann::ordered_json;
  std::size_t below(std::size_t bound);
  void learn(const Json& value);
  void change_events(std::vector<OddEvent>& events);
  void change(Json& root);
  void change_object(Json& object);
  void change_array(Json& array);
  Json odd_value();
  Json& any_of(Json& root);

  std::mt19937_64 random_;
  std::vector<std::string> names_;  // of the answer at hand
  std::vector<Json> values_;
};

// The streams in which one event has one member more or another value of it: every name of the
// stream and of the body, in every object, with values of several kinds. Of events alike in type
// and names one.
void for_each_odd_member(std::string_view stream, std::string_view body,
                         const std::function<void(const std::string&)>& visit);

}  // namespace llm_edge_cache::test
