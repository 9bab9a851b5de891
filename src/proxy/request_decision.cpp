#include "proxy/request_decision.hpp"

namespace llm_edge_cache::proxy {

Result<RequestDecision> decide_request(RequestKeyer& keyer, const Dialect& dialect,
                                       const http::RequestHead& head,
                                       const RequestDirectives& directives, std::string_view body) {
  const auto keyed = keyer.key_of(dialect, head, KeySpace(directives), body);
  if (!keyed.ok()) {
    return keyed.error();
  }
  const auto& policy = keyer.rules().policy(keyed->rule);
  return RequestDecision{*keyed, &policy, plan_request(directives, policy),
                         lifetimes_for(directives, policy, keyed->key)};
}

}  // namespace llm_edge_cache::proxy
