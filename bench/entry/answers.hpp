// Answers shaped as providers send them, of about a size that is asked for.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "core/entry.hpp"
#include "mock_provider/mock_text.hpp"

namespace llm_edge_cache::bench {

enum class Shape { kJson, kSse };

// What a dictionary is trained on shares no prompt with what it is measured by.
enum class Part { kTraining, kMeasured };

// What answers are written with: the prompts of real users in LEC_DATA where they are there, and
// the mock provider's sentences where they are not.
class Writer {
 public:
  Writer();

  [[nodiscard]] bool has_prompts() const { return !prompts_[0].empty(); }
  // Each seed another answer.
  [[nodiscard]] Entry answer(Part part, Shape shape, std::size_t bytes, std::uint64_t seed) const;

 private:
  [[nodiscard]] std::string text(Part part, app::MockRandom& random, std::size_t bytes) const;

  std::array<std::vector<std::string>, 2> prompts_;  // by Part, each prompt once
};

}  // namespace llm_edge_cache::bench
