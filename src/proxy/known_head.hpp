// What follows from a request's head alone. It is kept with the head: clients repeat theirs from
// request to request, and then it is known already.
#pragma once

#include <cstdint>
#include <memory>

#include "base/key_digest.hpp"
#include "http/exchange.hpp"
#include "http/extra_fields.hpp"
#include "llm_edge_cache/result.hpp"
#include "proxy/dialects/dialects.hpp"
#include "proxy/proxy_policies.hpp"
#include "proxy/request_directives.hpp"
#include "proxy/tenant_table.hpp"

namespace llm_edge_cache::proxy {

// Immutable.
struct KnownHead final : http::HeadNote {
  // dialects must outlive it.
  KnownHead(const http::RequestHead& head, const Dialects& dialects, const ProxyPolicies& policies);

  const std::uint64_t policies_version;
  const Dialect* const dialect;  // null: the request passes through
  const TenantTable::Found found_tenant;
  // With the word of the tenant, if one was found; an error where a field of ours cannot be used.
  const Result<RequestDirectives> directives;
  const Surroundings surroundings;  // empty where the request has no key
  const std::shared_ptr<const http::ExtraFields> extra_fields;  // of every answer; null: none
  const bool is_preflight;                                      // that the proxy answers

 private:
  [[nodiscard]] Result<RequestDirectives> read_directives(const http::RequestHead& head) const;
  [[nodiscard]] Surroundings surroundings_under(const ProxyPolicies& policies,
                                                const http::RequestHead& head) const;
};

// Kept by the exchange, or made and given to it: lives as long as the exchange. The policies are
// those of the request; what was known under others is forgotten.
[[nodiscard]] const KnownHead& know_head(http::Exchange& exchange, const Dialects& dialects,
                                         const ProxyPolicies& policies);

}  // namespace llm_edge_cache::proxy
