#include "proxy/first_look.hpp"

namespace llm_edge_cache::proxy {

Result<FirstLook> take_first_look(ProxyServices& services, ProxyPolicies& policies,
                                  const KnownHead& known, const http::RequestHead& head,
                                  std::string_view body) {
  const auto decision = decide_request(
      policies.keyer, {*known.dialect, head, known.surroundings, body}, *known.directives);
  if (!decision.ok()) {
    return decision.error();
  }
  FirstLook look{.decision = *decision};
  if (look.decision.plan.may_look_up) {
    const auto& key = look.decision.request.key;
    look.landings = services.flights.landings(key);
    look.now_ms = services.clock->now_ms();
    look.found = services.cache.lookup_l1(key, look.now_ms);
  }
  return look;
}

}  // namespace llm_edge_cache::proxy
