// Admits requests that are no tenant's, by the limits of their credentials.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "http/headers.hpp"
#include "proxy/caller.hpp"
#include "proxy/credential_table.hpp"

namespace llm_edge_cache::proxy {

// A request with more credentials than this is refused: it could hide whom it asks for.
inline constexpr std::size_t kMaxCallerCredentials = 8;

// What the fields of these names hold and send up: of Authorization the one word after its scheme,
// up to a comma, any other field as it is. Each once; more than kMaxCallerCredentials are not told
// apart further. None is one that is empty.
[[nodiscard]] std::vector<std::string_view> credentials_in(const http::Headers& headers,
                                                           const std::vector<std::string>& names);

// The request counts for each of its credentials: a fresh one beside it frees none of its limit.
// The table outlives what is returned.
[[nodiscard]] Admission admit_by_credentials(CredentialTable& table, const AdmissionRules& rules,
                                             const http::Headers& headers,
                                             const std::vector<std::string>& credential_headers,
                                             Caller::TimePoint now);

}  // namespace llm_edge_cache::proxy
