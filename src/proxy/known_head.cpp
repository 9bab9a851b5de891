#include "proxy/known_head.hpp"

#include <memory>

namespace llm_edge_cache::proxy {

KnownHead::KnownHead(const http::RequestHead& head, const Dialects& dialects,
                     const ProxyPolicies& policies)
    : policies_version(policies.version),
      dialect(dialects.find(head.method, head.path())),
      found_tenant(policies.tenants.empty() ? TenantTable::Found()
                                            : policies.tenants.find(head.headers)),
      directives(read_directives(head)),
      surroundings(surroundings_under(policies, head)),
      extra_fields(policies.cors.fields_for(&head)),
      is_preflight(policies.cors.is_on() && proxy::is_preflight(head)) {}

Result<RequestDirectives> KnownHead::read_directives(const http::RequestHead& head) const {
  auto read = parse_request_directives(head.headers);
  if (read.ok() && found_tenant.tenant != nullptr) found_tenant.tenant->apply_to(*read);
  return read;
}

Surroundings KnownHead::surroundings_under(const ProxyPolicies& policies,
                                           const http::RequestHead& head) const {
  if (dialect == nullptr || !directives.ok()) return {};
  return policies.keyer.surroundings_of(head, KeySpace(*directives));
}

const KnownHead& know_head(http::Exchange& exchange, const Dialects& dialects,
                           const ProxyPolicies& policies) {
  // Nobody else gives notes to heads.
  const auto* known = static_cast<const KnownHead*>(exchange.head_note());
  if (known != nullptr && known->policies_version == policies.version) return *known;
  auto learned = std::make_shared<const KnownHead>(exchange.head(), dialects, policies);
  known = learned.get();
  exchange.set_head_note(std::move(learned));
  return *known;
}

}  // namespace llm_edge_cache::proxy
