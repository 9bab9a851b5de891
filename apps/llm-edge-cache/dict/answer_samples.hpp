// Answers to train a dictionary on, in the form in which they would be stored.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "core/entry.hpp"
#include "llm_edge_cache/result.hpp"

namespace llm_edge_cache::app {

// The tables of entries, one behind the other, as zstd's trainer wants them.
class AnswerSamples {
 public:
  // A sample has the first of an answer's bytes at most, and all of them together a bound: zstd
  // learns nothing from more than a hundred times the dictionary.
  static constexpr std::size_t kMaxSampleBytes = 128U << 10U;
  static constexpr std::size_t kMaxBytes = 64U << 20U;

  // False where the bound is reached: nothing was added.
  [[nodiscard]] bool add(const Entry& entry);

  [[nodiscard]] std::size_t count() const { return sizes_.size(); }
  [[nodiscard]] const std::string& bytes() const { return bytes_; }
  [[nodiscard]] const std::vector<std::size_t>& sizes() const { return sizes_; }

 private:
  std::string bytes_;
  std::vector<std::size_t> sizes_;
};

// Reads `source`: a file that ends in .jsonl, .jsonl.gz or .ndjson has an answer on each line,
// another file is one answer as a client got it (JSON or SSE), and a folder is all the files below
// it, in the order of their names.
//
// A line is an object with the member "payload" (text) or "payload_base64"; "model", "content_type"
// and "finish_reason" are used where they are there, other members are not looked at.
//
// Stops where the samples are full. kIo for what cannot be read, kInvalidArgument for a line that
// is something else; both say where.
[[nodiscard]] Result<AnswerSamples> read_answer_samples(const std::string& source);

}  // namespace llm_edge_cache::app
