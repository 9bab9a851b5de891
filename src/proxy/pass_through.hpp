// Requests that the cache has nothing to do with: they go up, and their answers come down, as they
// are, streaming both ways.
#pragma once

#include <memory>

#include "http/exchange.hpp"
#include "http/shared_bytes.hpp"
#include "proxy/dialects/dialect.hpp"
#include "proxy/proxy_services.hpp"

namespace llm_edge_cache::proxy {

// On the exchange's thread, whose body has not been read.
void pass_through(ServicesPtr services, std::shared_ptr<http::Exchange> exchange,
                  const Dialect& dialect);

// For a request to a cached endpoint that turned out to have no key. Its body is at hand; the
// fields that are meant for the cache do not go up.
void pass_through_recorded_path(ServicesPtr services, std::shared_ptr<http::Exchange> exchange,
                                const Dialect& dialect, http::SharedBytes body);

}  // namespace llm_edge_cache::proxy
