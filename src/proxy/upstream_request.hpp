// What of a client's request goes to the upstream.
#pragma once

#include "http/message.hpp"
#include "proxy/cors_policy.hpp"

namespace llm_edge_cache::proxy {

// Credentials and everything else the provider is told; neither Host, hop-by-hop fields, an
// expectation that we have met already, an origin that the policy vouches for, nor the fields that
// are meant for us.
[[nodiscard]] http::RequestHead upstream_head(const http::RequestHead& client_head,
                                              const CorsPolicy& cors);

// The same for a request whose answer is to be recorded: as plain bytes, whatever the client would
// have taken, and from the provider, not from a cache of its own.
[[nodiscard]] http::RequestHead recorded_upstream_head(const http::RequestHead& client_head,
                                                       const CorsPolicy& cors);

}  // namespace llm_edge_cache::proxy
