// Chat completions as events and as one body: the two forms of the same message.
#pragma once

#include <string>
#include <string_view>

#include "proxy/dialects/streamed_dialect.hpp"

namespace llm_edge_cache::proxy {

// `chat.completion`, as the provider would have answered without `stream`.
[[nodiscard]] Assembled assemble_chat(std::string_view stream);

// The stream of a `chat.completion`: a role chunk, then reasoning, content and tool calls in small
// pieces, whatever their order in the body, a finish chunk, all for each choice, then usage where
// it is asked for, and [DONE].
[[nodiscard]] std::string split_chat(const Json& body, bool include_usage);

// What of a body its stream gives back: members that chunks always have (`logprobs`, `content`) are
// there, null where the body left them out.
[[nodiscard]] Json streamed_chat_part(Json body);

}  // namespace llm_edge_cache::proxy
