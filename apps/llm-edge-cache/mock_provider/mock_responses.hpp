// What the simulated provider says to POST /v1/responses.
//
// A summary of reasoning where `reasoning` is given; a function call where tool_choice demands one;
// a search and a citation where there is a web_search tool; structured text where text.format asks
// for it; else text. Cut to max_output_tokens, with the status `incomplete`.
#pragma once

#include <string_view>

#include "mock_provider/mock_reply.hpp"

namespace llm_edge_cache::app {

[[nodiscard]] MockReply mock_responses(std::string_view request_body);

}  // namespace llm_edge_cache::app
