#include "proxy/caller.hpp"

#include "proxy/proxy_error.hpp"

namespace llm_edge_cache::proxy {
namespace {

// The error, and its count, where the tenant's rate is used up.
std::optional<ProxyError> refuse_by_rate(const Tenant& tenant, Caller::TimePoint now) {
  const auto wait = tenant.state->rate.take(tenant.options.rate, now);
  if (!wait) return std::nullopt;
  tenant.state->refused[static_cast<std::size_t>(TenantRefusal::kRate)].fetch_add(
      1, std::memory_order_relaxed);
  return rate_limited_error(*wait);
}

}  // namespace

std::optional<ProxyError> Caller::refuse_call(TimePoint now) const {
  return rate_counts_ == RateCounts::kUpstreamCalls ? refuse_by_rate(*tenant_, now) : std::nullopt;
}

void Caller::count(LookupOutcome outcome) const {
  tenant_->state->requests[static_cast<std::size_t>(outcome)].fetch_add(1,
                                                                        std::memory_order_relaxed);
}

bool is_refused_as_unknown(const TenantTable& tenants, const TenantTable::Found& found,
                           UnknownKeys unknown_keys) {
  return !tenants.empty() && found.tenant == nullptr &&
         (found.is_doubtful || unknown_keys == UnknownKeys::kRefuse);
}

Admission admit(const TenantTable& tenants, const AdmissionRules& rules,
                const http::Headers& headers, Caller::TimePoint now) {
  if (tenants.empty()) return {};
  auto found = tenants.find(headers);
  if (is_refused_as_unknown(tenants, found, rules.unknown_keys)) {
    return {.refusal = unknown_key_error()};
  }
  auto tenant = std::move(found.tenant);
  if (tenant == nullptr) return {};
  auto& state = *tenant->state;
  // The place first: a request that gets none has used up nothing.
  if (!state.concurrency.enter(tenant->options.max_concurrent)) {
    state.refused[static_cast<std::size_t>(TenantRefusal::kConcurrency)].fetch_add(
        1, std::memory_order_relaxed);
    return {.refused_tenant = std::move(tenant), .refusal = too_many_concurrent_error()};
  }
  auto caller = std::make_shared<const Caller>(tenant, rules.rate_counts);
  if (rules.rate_counts == RateCounts::kRequests) {
    if (auto refusal = refuse_by_rate(*tenant, now)) {
      return {.refused_tenant = std::move(tenant), .refusal = std::move(refusal)};
    }
  }
  return {.caller = std::move(caller)};
}

}  // namespace llm_edge_cache::proxy
