// Chat completions as events and as one body: the two forms of the same message.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "proxy/answer_json.hpp"
#include "proxy/proxy_metrics.hpp"

namespace llm_edge_cache::proxy {

inline constexpr std::string_view kChatDone = "[DONE]";

struct AssembledChat {
  std::optional<StoreRefusal> refusal;  // why the stream is no whole answer; the body is then void
  Json body;
};

// Puts a recorded stream together: `chat.completion`, as the provider would have answered without
// `stream`. Usage is there where the stream carried it. What pads a stream (`obfuscation`) is not.
[[nodiscard]] AssembledChat assemble_chat(std::string_view stream);

// The stream of a `chat.completion`: a role chunk, then reasoning, content and tool calls in small
// pieces, a finish chunk, all for each choice, then usage where it is asked for, and [DONE].
// Assembling it gives the body back, usage aside where it was not asked for.
[[nodiscard]] std::string split_chat(const Json& body, bool include_usage);

// Where the usage chunk stands in a recorded stream; empty where there is none.
[[nodiscard]] std::string_view find_usage_chunk(std::string_view stream);

}  // namespace llm_edge_cache::proxy
