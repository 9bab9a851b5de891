// What rules look at, read from a request of any dialect.
#pragma once

#include <string>
#include <string_view>

#include "proxy/cache_rules.hpp"
#include "proxy/dialects/dialect.hpp"

namespace llm_edge_cache::proxy {

// The body is a JSON object, as a request that has a key is; of anything else nothing is known, and
// the traits are those of an empty object. path: without query.
[[nodiscard]] RequestTraits read_request_traits(std::string_view path, AnswerWish wish,
                                                std::string_view body);

// The model that the body names; empty where it names none, or is no JSON object.
[[nodiscard]] std::string read_model(std::string_view body);

}  // namespace llm_edge_cache::proxy
