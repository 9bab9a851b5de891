#include "proxy/request_decision.hpp"

namespace llm_edge_cache::proxy {

Result<RequestDecision> decide_request(RequestKeyer& keyer, const RequestToKey& request,
                                       const RequestDirectives& directives) {
  auto to_key = request;
  to_key.is_remembered = !directives.no_store;  // which is said of the request, too
  const auto keyed = keyer.key_of(to_key, KeySpace(directives));
  if (!keyed.ok()) {
    return keyed.error();
  }
  const auto& policy = keyer.rules().policy(keyed->rule);
  return RequestDecision{*keyed, &policy, plan_request(directives, policy),
                         lifetimes_for(directives, policy, keyed->key)};
}

}  // namespace llm_edge_cache::proxy
