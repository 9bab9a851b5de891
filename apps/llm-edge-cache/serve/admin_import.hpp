// POST /import: lines of JSON as /export writes them, into every tier.
#pragma once

#include <cstddef>
#include <memory>

#include "core/tiered_cache.hpp"
#include "http/exchange.hpp"
#include "llm_edge_cache/clock.hpp"

namespace llm_edge_cache::app {

// Entries keep their own end. Their tags count as they stand now: an export that is older than a
// purge brings back what it ended. Answers with {"imported", "expired", "filtered"}; at the first
// line that cannot be read with an error that names it, what came before has been stored then.
//
// Memory: one line, of at most max_line_bytes, and what comes while the second store catches up:
// the body is read no faster than that writes. The cache outlives the exchange.
void start_import(TieredCache& cache, ClockPtr clock, std::size_t max_line_bytes,
                  std::shared_ptr<http::Exchange> exchange);

}  // namespace llm_edge_cache::app
