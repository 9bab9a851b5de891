// GET /export: what is stored, as lines of JSON (entry_line.hpp).
#pragma once

#include <memory>

#include "core/tiered_cache.hpp"
#include "http/exchange.hpp"
#include "llm_edge_cache/clock.hpp"

namespace llm_edge_cache::app {

// Streams as fast as the client reads; memory is that of CacheWalk and one line. An export that
// cannot go on is cut, so that none looks whole that is not. The cache outlives the exchange.
void start_export(TieredCache& cache, ClockPtr clock, std::shared_ptr<http::Exchange> exchange);

}  // namespace llm_edge_cache::app
