// A request under way that somebody's limits hold for, and whether it may be.
#pragma once

#include <memory>
#include <optional>

#include "proxy/credential_table.hpp"
#include "proxy/dialects/dialect.hpp"
#include "proxy/tenant_table.hpp"

namespace llm_edge_cache::proxy {

// Counts as one of the concurrent requests of a tenant, or of a credential that is no tenant's,
// while it lives: held by the client's exchange, and by the call to an upstream that the request
// set off, whichever ends last. Thread-safe.
class Caller {
 public:
  using TimePoint = RateLimiter::TimePoint;

  Caller() = default;
  virtual ~Caller() = default;
  Caller(const Caller&) = delete;
  Caller& operator=(const Caller&) = delete;

  // Null: no tenant's.
  [[nodiscard]] virtual const Tenant* tenant() const { return nullptr; }
  // Whose limits it counts for: the same for all requests that share them.
  [[nodiscard]] virtual std::shared_ptr<const void> limits() const = 0;
  // Before each call to an upstream: the error in its place, where the rate counts calls and is
  // used up.
  [[nodiscard]] virtual std::optional<ProxyError> refuse_call(TimePoint now) const = 0;
  virtual void count(LookupOutcome /*outcome*/) const {}
};

using CallerPtr = std::shared_ptr<const Caller>;

[[nodiscard]] inline const Tenant* tenant_of(const CallerPtr& caller) {
  return caller == nullptr ? nullptr : caller->tenant();
}

struct Admission {
  CallerPtr caller = {};                              // null: nobody's limits hold for it
  std::shared_ptr<const Tenant> refused_tenant = {};  // whose request was refused, if one's
  bool is_unknown = false;                            // refused for want of a gateway key
  std::optional<ProxyError> refusal = {};             // the answer, where there is one already
};

struct AdmissionRules {
  UnknownKeys unknown_keys = UnknownKeys::kRefuse;
  RateCounts rate_counts = RateCounts::kRequests;
  CredentialLimits credentials = {};  // of requests that are no tenant's
};

// Whether a request is refused because it is nobody's, or cannot be told whose. Never without
// tenants.
[[nodiscard]] bool is_refused_as_unknown(const TenantTable& tenants,
                                         const TenantTable::Found& found, UnknownKeys unknown_keys);

// Decides about a request by the tenant that the table found for it. Without tenants everybody is
// let in.
[[nodiscard]] Admission admit(const TenantTable& tenants, const TenantTable::Found& found,
                              const AdmissionRules& rules, Caller::TimePoint now);

}  // namespace llm_edge_cache::proxy
