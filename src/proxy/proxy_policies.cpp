#include "proxy/proxy_policies.hpp"

#include <atomic>

namespace llm_edge_cache::proxy {
namespace {

std::uint64_t next_version() {
  static std::atomic<std::uint64_t> last = 0;
  return last.fetch_add(1, std::memory_order_relaxed) + 1;
}

}  // namespace

ProxyPolicies::ProxyPolicies(const ProxyOptions& options, const TenantTable* former)
    : version(next_version()),
      keyer(options),
      tenants(options.tenants, former),
      admission(options.admission),
      cors(options.cors_origins, options.pays_for_the_unknown()
                                     ? CorsPolicy::Unnamed::kNobody
                                     : CorsPolicy::Unnamed::kProvidersWord) {}

}  // namespace llm_edge_cache::proxy
