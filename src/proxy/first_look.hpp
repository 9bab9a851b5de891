// What a request is, and what memory has for it: all that can be said of it without waiting.
#pragma once

#include <optional>
#include <string_view>

#include "core/tiered_cache.hpp"
#include "http/message.hpp"
#include "llm_edge_cache/result.hpp"
#include "proxy/flight_table.hpp"
#include "proxy/known_head.hpp"
#include "proxy/proxy_services.hpp"
#include "proxy/request_decision.hpp"
#include "proxy/served_answer.hpp"

namespace llm_edge_cache::proxy {

struct FirstLook {
  RequestDecision decision;            // of the policies
  FlightTable::Landings landings = 0;  // from before memory was looked up
  UnixMillis now_ms = 0;               // when it was
  LookedUp found = {};                 // nothing where the plan forbids to look
};

// known has a dialect and directives. kInvalidArgument as RequestKeyer::key_of.
[[nodiscard]] Result<FirstLook> take_first_look(ProxyServices& services, ProxyPolicies& policies,
                                                const KnownHead& known,
                                                const http::RequestHead& head,
                                                std::string_view body);

// What an answer has to meet, as it was decided.
[[nodiscard]] inline ServeTerms terms_of(ProxyServices& services, const KnownHead& known,
                                         const RequestDecision& decision, UnixMillis now_ms) {
  return {.directives = *known.directives,
          .policy = *decision.policy,
          .wish = decision.request.wish,
          .dialect = *known.dialect,
          .adapted = services.adapted,
          .now_ms = now_ms};
}

}  // namespace llm_edge_cache::proxy
