// What the simulated provider says to POST /v1/embeddings.
#pragma once

#include <string_view>

#include "mock_provider/mock_reply.hpp"

namespace llm_edge_cache::app {

// A vector of length 1 for each element, which depends on the element, the model and `dimensions`
// (16 without) alone. The model "mock-miscount" leaves the last one out.
[[nodiscard]] MockReply mock_embeddings(std::string_view request_body);

}  // namespace llm_edge_cache::app
