// All that is decided about a request before anything is looked up: the proxy acts on it, and
// `llm-edge-cache explain` prints it.
#pragma once

#include <string_view>

#include "http/message.hpp"
#include "llm_edge_cache/result.hpp"
#include "proxy/cache_decision.hpp"
#include "proxy/request_directives.hpp"
#include "proxy/request_keyer.hpp"

namespace llm_edge_cache::proxy {

struct RequestDecision {
  KeyedRequest request;
  const CachePolicy* policy = nullptr;  // the keyer's
  RequestPlan plan;
  Lifetimes life;
};

// kInvalidArgument as RequestKeyer::key_of: the request is passed through.
[[nodiscard]] Result<RequestDecision> decide_request(RequestKeyer& keyer,
                                                     const RequestToKey& request,
                                                     const RequestDirectives& directives);

}  // namespace llm_edge_cache::proxy
