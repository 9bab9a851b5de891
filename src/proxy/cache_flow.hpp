// The way of one request to a cached endpoint: key, memory, flight, answer.
//
//   L1 has it                  answered at once, on this thread
//   L1 has it, stale           the same, where that is allowed; a flight of nobody's refreshes it
//   a flight is on its way     joined
//   else                       a flight is started: L2, then the upstream (cached_fetch.hpp)
//   the provider fails         the last good answer, where that is allowed
//
// The rules are in cache_decision.hpp, the bytes to the client go through flight_follower.hpp.
#pragma once

#include <memory>

#include "http/exchange.hpp"
#include "proxy/known_head.hpp"
#include "proxy/proxy_services.hpp"

namespace llm_edge_cache::proxy {

// On the exchange's thread. What is known is the exchange's, with a dialect of the services'.
void start_cache_flow(const ServicesPtr& services, std::shared_ptr<http::Exchange> exchange,
                      const KnownHead& known);

}  // namespace llm_edge_cache::proxy
