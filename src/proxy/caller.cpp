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

class TenantCaller final : public Caller {
 public:
  // The tenant's place was taken by whoever makes this.
  TenantCaller(std::shared_ptr<const Tenant> tenant, RateCounts rate_counts)
      : tenant_(std::move(tenant)), rate_counts_(rate_counts) {}
  ~TenantCaller() override { tenant_->state->concurrency.leave(); }
  TenantCaller(const TenantCaller&) = delete;
  TenantCaller& operator=(const TenantCaller&) = delete;

  [[nodiscard]] const Tenant* tenant() const override { return tenant_.get(); }
  [[nodiscard]] std::shared_ptr<const void> limits() const override { return tenant_->state; }
  [[nodiscard]] std::optional<ProxyError> refuse_call(TimePoint now) const override {
    return rate_counts_ == RateCounts::kUpstreamCalls ? refuse_by_rate(*tenant_, now)
                                                      : std::nullopt;
  }
  void count(LookupOutcome outcome) const override {
    auto& counter = tenant_->state->requests[static_cast<std::size_t>(outcome)];
    counter.fetch_add(1, std::memory_order_relaxed);
  }

 private:
  const std::shared_ptr<const Tenant> tenant_;
  const RateCounts rate_counts_;
};

}  // namespace

bool is_refused_as_unknown(const TenantTable& tenants, const TenantTable::Found& found,
                           UnknownKeys unknown_keys) {
  return !tenants.empty() && found.tenant == nullptr &&
         (found.is_doubtful || unknown_keys == UnknownKeys::kRefuse);
}

Admission admit(const TenantTable& tenants, const TenantTable::Found& found,
                const AdmissionRules& rules, Caller::TimePoint now) {
  if (tenants.empty()) return {};
  if (is_refused_as_unknown(tenants, found, rules.unknown_keys)) {
    return {.is_unknown = true, .refusal = unknown_key_error()};
  }
  auto tenant = found.tenant;
  if (tenant == nullptr) return {};
  auto& state = *tenant->state;
  // The place first: a request that gets none has used up nothing.
  if (!state.concurrency.enter(tenant->options.max_concurrent)) {
    state.refused[static_cast<std::size_t>(TenantRefusal::kConcurrency)].fetch_add(
        1, std::memory_order_relaxed);
    return {.refused_tenant = std::move(tenant), .refusal = too_many_concurrent_error()};
  }
  auto caller = std::make_shared<const TenantCaller>(tenant, rules.rate_counts);
  if (rules.rate_counts == RateCounts::kRequests) {
    if (auto refusal = refuse_by_rate(*tenant, now)) {
      return {.refused_tenant = std::move(tenant), .refusal = std::move(refusal)};
    }
  }
  return {.caller = std::move(caller)};
}

}  // namespace llm_edge_cache::proxy
