#include "mock_provider/mock_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace llm_edge_cache::app {

namespace {

constexpr int kMaxSchemaDepth = 16;
constexpr std::uint64_t kFewestWords = 8;
constexpr std::uint64_t kMostWords = 64;

constexpr std::array<std::string_view, 64> kWords = {
    "river",  "stone",    "amber",   "quiet",   "lantern", "orchard", "signal", "meadow",
    "copper", "harbour",  "winter",  "thread",  "garden",  "silver",  "engine", "mountain",
    "paper",  "cloud",    "bridge",  "candle",  "forest",  "island",  "mirror", "compass",
    "ocean",  "pepper",   "velvet",  "window",  "yellow",  "anchor",  "basket", "cedar",
    "desert", "ember",    "feather", "glacier", "hollow",  "ivory",   "jungle", "kettle",
    "ladder", "marble",   "needle",  "olive",   "pebble",  "quartz",  "ribbon", "saddle",
    "timber", "umbrella", "valley",  "willow",  "zephyr",  "beacon",  "cotton", "dragon",
    "eagle",  "falcon",   "ginger",  "hazel",   "indigo",  "jasmine", "lemon",  "maple"};

Json value_at_depth(MockRandom& random, const Json& schema, int depth) {
  if (depth > kMaxSchemaDepth || !schema.is_object()) return nullptr;
  if (const auto choices = schema.find("enum");
      choices != schema.end() && choices->is_array() && !choices->empty()) {
    return (*choices)[random.below(choices->size())];
  }
  const auto type = schema.contains("type") && schema["type"].is_string()
                        ? schema["type"].get<std::string>()
                        : std::string("string");
  if (type == "object") {
    Json object = Json::object();
    const auto properties = schema.find("properties");
    if (properties == schema.end() || !properties->is_object()) return object;
    for (const auto& [name, property] : properties->items()) {
      object[name] = value_at_depth(random, property, depth + 1);
    }
    return object;
  }
  if (type == "array") {
    const auto items = schema.contains("items") ? schema["items"] : Json::object();
    auto array = Json::array();
    for (int i = 0; i < 2; ++i) array.push_back(value_at_depth(random, items, depth + 1));
    return array;
  }
  if (type == "integer" || type == "number") return random.below(1'000);
  if (type == "boolean") return random.below(2) == 1;
  if (type == "null") return nullptr;
  return mock_word(random);
}

}  // namespace

std::uint64_t MockRandom::next() {
  state_ += 0x9E3779B97F4A7C15U;
  std::uint64_t z = state_;
  z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9U;
  z = (z ^ (z >> 27U)) * 0x94D049BB133111EBU;
  return z ^ (z >> 31U);
}

std::string mock_word(MockRandom& random) {
  return std::string(kWords[random.below(kWords.size())]);
}

std::string mock_sentence(MockRandom& random, std::uint64_t words) {
  std::string sentence;
  for (std::uint64_t i = 0; i < words; ++i) {
    if (i > 0) sentence += ' ';
    sentence += mock_word(random);
  }
  return sentence;
}

std::uint64_t mock_length(MockRandom& random) {
  return kFewestWords + random.below(kMostWords - kFewestWords + 1);
}

std::string mock_answer(MockRandom& random, const Json& asked) {
  const auto words = mock_length(random);
  const auto echo = asked.is_string() ? asked.get<std::string>() : std::string("something");
  return fmt::format("You asked: {}\nAnswer: {}.", echo, mock_sentence(random, words));
}

std::vector<std::string> mock_tokens(const std::string& text) {
  std::vector<std::string> tokens;
  for (std::size_t start = 0; start < text.size();) {
    const auto end = std::min(text.find_first_of(" \n,", start + 1), text.size());
    tokens.push_back(text.substr(start, end - start));
    start = end;
  }
  return tokens;
}

Json mock_value(MockRandom& random, const Json& schema) {
  return value_at_depth(random, schema, 0);
}

}  // namespace llm_edge_cache::app
