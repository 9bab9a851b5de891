// One choice of a simulated chat answer: text, structured text, or a tool call.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "mock_provider/mock_text.hpp"

namespace llm_edge_cache::app {

struct MockChoice {
  struct ToolCall {
    std::string id;
    std::string name;
  };

  std::optional<ToolCall> call;     // its arguments are the tokens; otherwise the content is
  std::vector<std::string> tokens;  // put together they are the text
  std::string finish_reason = "stop";

  [[nodiscard]] Json message() const;
  [[nodiscard]] Json first_delta() const;
  [[nodiscard]] Json token_delta(std::size_t token) const;
};

// `request` is a chat request whose messages are a list of objects. A tool call where `tool_choice`
// demands one; JSON where `response_format` does; cut to max_completion_tokens or max_tokens, with
// the finish reason `length`.
[[nodiscard]] MockChoice make_choice(const Json& request, std::uint64_t seed);

}  // namespace llm_edge_cache::app
