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

// Whether a provider's status can be the credential's own. Any 4xx can: beside 401, 402, 403, 404
// and 429 some say 400 of an account without credit or of an organization that is not verified.
[[nodiscard]] constexpr bool is_about_the_credential(std::uint16_t status) {
  return status >= 400 && status < 500;
}

}  // namespace llm_edge_cache::proxy
