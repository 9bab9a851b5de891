// What can be given anew while requests are under way; each goes on with what it began with.
#pragma once

#include <cstdint>
#include <memory>

#include "proxy/caller.hpp"
#include "proxy/cors_policy.hpp"
#include "proxy/proxy_options.hpp"
#include "proxy/request_keyer.hpp"
#include "proxy/tenant_table.hpp"

namespace llm_edge_cache::proxy {

struct ProxyPolicies {
  explicit ProxyPolicies(const ProxyOptions& options, const TenantTable* former = nullptr);

  const std::uint64_t version;  // no other policies of the process have it
  RequestKeyer keyer;
  TenantTable tenants;
  AdmissionRules admission;
  CorsPolicy cors;
};

using PoliciesPtr = std::shared_ptr<ProxyPolicies>;

}  // namespace llm_edge_cache::proxy
