#include "proxy/request_decision.hpp"

namespace llm_edge_cache::proxy {

Result<RequestDecision> decide_request(RequestKeyer& keyer, const RequestToKey& request,
                                       const RequestDirectives& directives) {
  const auto keyed = keyer.key_of(request, KeySpace(directives));
  if (!keyed.ok()) {
    return keyed.error();
  }
  const auto& policy = keyer.rules().policy(keyed->rule);
  return RequestDecision{*keyed, &policy, plan_request(directives, policy),
                         lifetimes_for(directives, policy, keyed->key)};
}

}  // namespace llm_edge_cache::proxy
