// Who a request belongs to, told by its gateway key.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "http/headers.hpp"
#include "proxy/proxy_metrics.hpp"
#include "proxy/request_directives.hpp"
#include "proxy/tenant_options.hpp"

namespace llm_edge_cache::proxy {

// Why a tenant's request was refused.
enum class TenantRefusal {
  kRate,
  kConcurrency,
};
inline constexpr std::size_t kTenantRefusalCount =
    static_cast<std::size_t>(TenantRefusal::kConcurrency) + 1;
[[nodiscard]] std::string_view to_string(TenantRefusal refusal);

// What goes on for a tenant, whatever its options become. Thread-safe.
struct TenantState {
  RateLimiter rate;
  ConcurrencyLimiter concurrency;
  std::array<std::atomic<std::uint64_t>, kOutcomeCount> requests{};  // by LookupOutcome
  std::array<std::atomic<std::uint64_t>, kTenantRefusalCount> refused{};
};

struct Tenant {
  TenantOptions options;
  std::shared_ptr<TenantState> state;

  // Its credential for an upstream group; empty where it has none.
  [[nodiscard]] std::string_view credential_for(const std::string& group) const;
  // Makes a request's directives those of a request of the tenant's.
  void apply_to(RequestDirectives& directives) const;
};

struct TenantReport {
  std::string name;
  std::array<std::uint64_t, kOutcomeCount> requests{};
  std::array<std::uint64_t, kTenantRefusalCount> refused{};
  std::uint64_t concurrent = 0;
};

// Immutable; thread-safe.
class TenantTable {
 public:
  // A request with more credentials than this belongs to nobody.
  static constexpr std::size_t kMaxCredentials = 8;

  // Tenants that were in `former` by name keep their state. Options must be valid.
  explicit TenantTable(const std::vector<TenantOptions>& tenants,
                       const TenantTable* former = nullptr);

  [[nodiscard]] bool empty() const { return tenants_.empty(); }

  struct Found {
    std::shared_ptr<const Tenant> tenant = {};  // null: nobody's, or it cannot be told whose
    bool is_doubtful = false;  // gateway keys of several tenants, or more than kMaxCredentials
  };
  // Looks at every value of Authorization (as a bearer token), x-api-key, api-key and
  // x-goog-api-key. One that is no gateway key counts for nothing beside one that is.
  [[nodiscard]] Found find(const http::Headers& headers) const;

  // In the order of the configuration.
  [[nodiscard]] std::vector<TenantReport> report() const;

 private:
  [[nodiscard]] std::shared_ptr<const Tenant> find_key(std::string_view key) const;

  struct Key {
    KeyDigest digest;
    std::shared_ptr<const Tenant> tenant;
  };
  std::vector<std::shared_ptr<const Tenant>> tenants_;
  // By the first bytes of the digest, which nobody can choose.
  std::unordered_multimap<std::uint64_t, Key> keys_;
};

}  // namespace llm_edge_cache::proxy
