// Training a dictionary for stored entries, and telling what it is worth.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "dict/answer_samples.hpp"
#include "llm_edge_cache/result.hpp"

namespace llm_edge_cache::app {

inline constexpr std::size_t kFewestTrainingAnswers = 20;
inline constexpr std::size_t kFewestDictionaryBytes = 1'024;

// Every tenth answer is kept out of the training, to try the dictionary on.
struct TrainedDictionary {
  std::string bytes;
  std::uint64_t id = 0;  // as in stored entries
  std::size_t trained_on = 0;
  std::size_t tried_on = 0;
  std::size_t tried_bytes = 0;
  std::size_t with_built_in_bytes = 0;    // of those, with the built-in dictionary
  std::size_t with_dictionary_bytes = 0;  // and with it
};

// Deterministic. kInvalidArgument where there are too few answers, or nothing in common to learn.
[[nodiscard]] Result<TrainedDictionary> train_dictionary(const AnswerSamples& samples,
                                                         std::size_t max_bytes);

// Whole or not at all, and for its owner alone: it holds pieces of the answers. kIo names the file.
[[nodiscard]] Status write_dictionary(const std::string& file, const std::string& bytes);

}  // namespace llm_edge_cache::app
