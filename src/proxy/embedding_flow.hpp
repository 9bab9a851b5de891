// The way of one request for embeddings: each element of its input is a question of its own.
//
//   memory has all of them     answered at once, on this thread
//   a flight is on its way     joined: the same elements in the same order, from the same scope
//   else                       a flight is started: the shared store, then one call to the upstream
//                              for what is missing (embedding_fetch.hpp)
//
// Cache-Status says hit only where nothing went to the upstream; an answer of which a part was
// found is a miss with `detail=hits-3-of-5`. Usage is the sum over the elements of what each of
// them cost when it was asked for.
#pragma once

#include <memory>

#include "http/exchange.hpp"
#include "proxy/known_head.hpp"
#include "proxy/proxy_services.hpp"

namespace llm_edge_cache::proxy {

// On the exchange's thread. What is known is the exchange's, with a dialect of the services'.
void start_embedding_flow(ServicesPtr services, std::shared_ptr<http::Exchange> exchange,
                          const KnownHead& known);

}  // namespace llm_edge_cache::proxy
