// On whose account a flight's call is made: what the call is refused for their sake says nothing to
// others who joined.
#pragma once

#include <cstdint>
#include <memory>

#include "base/key_digest.hpp"
#include "http/headers.hpp"
#include "proxy/proxy_services.hpp"
#include "proxy/upstream_table.hpp"

namespace llm_edge_cache::proxy {

// Of a request as it would be asked alone. Only requests that may share a flight are compared:
// where their scope tells credentials apart, none of them says which it has.
[[nodiscard]] FlightPayer payer_of(const ProxyServices& services, const RequestKeyer& keyer,
                                   const CallerPtr& caller, const http::Headers& headers,
                                   UpstreamTable::Index upstream);

// Of those whose flight was refused on another's account one leads the next. A request that has
// boarded so many asks alone: whoever has bad credentials must not hold up others for long.
inline constexpr int kMaxBoardings = 4;

// Whether a provider's status can be the credential's own: unknown (401), not paid for (402),
// without the right to the model (403, 404), over its limit (429).
[[nodiscard]] constexpr bool is_about_the_credential(std::uint16_t status) {
  return status == 401 || status == 402 || status == 403 || status == 404 || status == 429;
}

}  // namespace llm_edge_cache::proxy
