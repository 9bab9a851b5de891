// What the simulated provider says to POST /v1/chat/completions.
#pragma once

#include <string_view>

#include "mock_provider/mock_reply.hpp"

namespace llm_edge_cache::app {

[[nodiscard]] MockReply mock_chat(std::string_view request_body);

[[nodiscard]] MockReply mock_models();

}  // namespace llm_edge_cache::app
