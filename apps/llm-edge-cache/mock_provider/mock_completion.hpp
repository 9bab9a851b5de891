// What the simulated provider says to POST /v1/completions.
#pragma once

#include <string_view>

#include "mock_provider/mock_reply.hpp"

namespace llm_edge_cache::app {

// A choice for each prompt, or `n` of them where there is one prompt.
[[nodiscard]] MockReply mock_completion(std::string_view request_body);

}  // namespace llm_edge_cache::app
