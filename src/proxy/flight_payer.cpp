#include "proxy/flight_payer.hpp"

#include <algorithm>

#include "base/sha256.hpp"

namespace llm_edge_cache::proxy {

FlightPayer payer_of(const ProxyServices& services, const RequestKeyer& keyer,
                     const CallerPtr& caller, const http::Headers& headers,
                     UpstreamTable::Index upstream) {
  FlightPayer payer;
  const auto& group = services.upstreams.group(upstream);
  if (caller != nullptr) payer.limits = caller->limits();
  if (const auto* tenant = tenant_of(caller)) {
    const auto own = tenant->credential_for(group.name);
    if (!own.empty()) payer.credential = sha256(own);
    return payer;
  }
  const bool client_pays =
      std::any_of(group.members.begin(), group.members.end(),
                  [](const auto& member) { return member.credential_value.empty(); });
  if (client_pays) payer.credential = keyer.credentials_within_scope(headers);
  return payer;
}

}  // namespace llm_edge_cache::proxy
