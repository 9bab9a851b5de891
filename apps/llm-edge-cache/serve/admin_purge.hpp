// POST /purge: {"key"}, {"tag"}, {"model"}, {"namespace"}, or {"all": true}.
#pragma once

#include <memory>

#include "core/tiered_cache.hpp"
#include "http/exchange.hpp"

namespace llm_edge_cache::app {

// Answers {"purged": ..} with the number of entries where it is known: for a key and a model. A
// model is looked for in all that is stored; what is new and on its way from the provider meanwhile
// stays. Everything else holds for that too. The cache outlives the exchange.
void start_purge(TieredCache& cache, std::shared_ptr<http::Exchange> exchange);

}  // namespace llm_edge_cache::app
