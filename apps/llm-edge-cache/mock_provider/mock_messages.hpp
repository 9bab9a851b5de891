// What the simulated provider says to POST /v1/messages and /v1/messages/count_tokens.
//
// Thinking where `thinking` is enabled, and some of it redacted for the model "mock-redacted"; a
// tool call where tool_choice demands one; a search, its result and a citation where there is a
// web_search tool; else text, JSON where `output_config` says so. Text is cut to max_tokens,
// with the stop reason `max_tokens`.
#pragma once

#include <string_view>

#include "mock_provider/mock_reply.hpp"

namespace llm_edge_cache::app {

[[nodiscard]] MockReply mock_messages(std::string_view request_body);

[[nodiscard]] MockReply mock_count_tokens(std::string_view request_body);

}  // namespace llm_edge_cache::app
