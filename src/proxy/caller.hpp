// A tenant's request under way, and whether it may be.
#pragma once

#include <memory>
#include <optional>

#include "http/headers.hpp"
#include "proxy/dialects/dialect.hpp"
#include "proxy/tenant_table.hpp"

namespace llm_edge_cache::proxy {

// Counts as one of the tenant's concurrent requests while it lives: held by the client's exchange,
// and by the call to an upstream that the request set off, whichever ends last. Thread-safe.
class Caller {
 public:
  using TimePoint = RateLimiter::TimePoint;

  // The tenant's place was taken by whoever makes this.
  Caller(std::shared_ptr<const Tenant> tenant, RateCounts rate_counts)
      : tenant_(std::move(tenant)), rate_counts_(rate_counts) {}
  ~Caller() { tenant_->state->concurrency.leave(); }
  Caller(const Caller&) = delete;
  Caller& operator=(const Caller&) = delete;

  [[nodiscard]] const Tenant& tenant() const { return *tenant_; }
  // Whose limits it counts for: the same for all requests that share them.
  [[nodiscard]] std::shared_ptr<const void> limits() const { return tenant_->state; }
  // Before each call to an upstream: the error in its place, where the tenant's rate counts calls
  // and is used up.
  [[nodiscard]] std::optional<ProxyError> refuse_call(TimePoint now) const;
  void count(LookupOutcome outcome) const;

 private:
  const std::shared_ptr<const Tenant> tenant_;
  const RateCounts rate_counts_;
};

using CallerPtr = std::shared_ptr<const Caller>;

struct Admission {
  CallerPtr caller = {};                              // null: no tenant's
  std::shared_ptr<const Tenant> refused_tenant = {};  // whose request was refused, if one's
  std::optional<ProxyError> refusal = {};             // the answer, where there is one already
};

struct AdmissionRules {
  UnknownKeys unknown_keys = UnknownKeys::kRefuse;
  RateCounts rate_counts = RateCounts::kRequests;
};

// Whether a request is refused because it is nobody's, or cannot be told whose. Never without
// tenants.
[[nodiscard]] bool is_refused_as_unknown(const TenantTable& tenants,
                                         const TenantTable::Found& found, UnknownKeys unknown_keys);

// Decides about a request by its headers. Without tenants everybody is let in.
[[nodiscard]] Admission admit(const TenantTable& tenants, const AdmissionRules& rules,
                              const http::Headers& headers, Caller::TimePoint now);

}  // namespace llm_edge_cache::proxy
