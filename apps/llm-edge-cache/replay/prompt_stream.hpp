// A file of prompts, in order: one JSON object with a member `prompt` a line.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "llm_edge_cache/result.hpp"

namespace llm_edge_cache::app {

struct PromptStream {
  std::vector<std::string> distinct;  // by first appearance
  std::vector<std::uint32_t> order;   // indices of distinct, one per line
};

// Plain or gzip. Empty lines are skipped, other members ignored. The error names file and line. The
// file's distinct prompts are held in memory.
[[nodiscard]] Result<PromptStream> read_prompts(
    const std::string& path, std::size_t limit = std::numeric_limits<std::size_t>::max());

}  // namespace llm_edge_cache::app
