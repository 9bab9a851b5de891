// What rules look at, read from a request of any dialect.
#pragma once

#include <string_view>

#include "proxy/cache_rules.hpp"
#include "proxy/dialects/dialect.hpp"
#include "proxy/dialects/json_view.hpp"

namespace llm_edge_cache::proxy {

// Of what is no object nothing is known: its traits are those of an empty one. path: without query.
[[nodiscard]] RequestTraits read_request_traits(std::string_view path, AnswerWish wish,
                                                JsonView request);

}  // namespace llm_edge_cache::proxy
