// Text and JSON values that look written and depend on nothing but a seed.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace llm_edge_cache::app {

using Json = nlohmann::ordered_json;

// SplitMix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014):
// the same numbers on every machine, which std's distributions do not promise.
class MockRandom {
 public:
  explicit MockRandom(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next();
  std::uint64_t below(std::uint64_t bound) { return next() % bound; }

 private:
  std::uint64_t state_;
};

[[nodiscard]] std::string mock_word(MockRandom& random);

// A sentence of that many words, each with its space before it but the first.
[[nodiscard]] std::string mock_sentence(MockRandom& random, std::uint64_t words);

// How many words an answer has.
[[nodiscard]] std::uint64_t mock_length(MockRandom& random);

// An answer to what was asked, which it repeats where that is text.
[[nodiscard]] std::string mock_answer(MockRandom& random, const Json& asked);

// Words with the space or comma before them, much as tokenisers cut.
[[nodiscard]] std::vector<std::string> mock_tokens(const std::string& text);

// A value that a simple JSON schema describes: objects with all their properties, arrays of two,
// enums, text, numbers, booleans. What it does not know is text. Nesting over 16 levels is null.
[[nodiscard]] Json mock_value(MockRandom& random, const Json& schema);

}  // namespace llm_edge_cache::app
