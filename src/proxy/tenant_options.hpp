// What an operator says about the tenants: who may ask, with which keys, and how much.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/key_digest.hpp"
#include "llm_edge_cache/result.hpp"
#include "proxy/rate_limiter.hpp"
#include "proxy/upstream_options.hpp"

namespace llm_edge_cache::proxy {

inline constexpr std::size_t kMaxTenants = 256;    // also the most labels of a tenant's metrics
inline constexpr std::size_t kMaxTenantKeys = 64;  // of one tenant
inline constexpr std::size_t kMaxTenantNameBytes = 64;

struct TenantOptions {
  std::string name;             // letters, digits, '.', '_', '-'
  std::vector<KeyDigest> keys;  // SHA-256 of the gateway keys
  // Whose answers it shares; empty: the name. Tenants share only what both name here.
  std::string name_space = {};
  std::optional<std::uint64_t> max_ttl_ms = {};  // no answer is kept for longer
  RateLimit rate = {};
  std::uint64_t max_concurrent = 0;  // 0: any number
  // By upstream group ("default" is upstream_url): goes up in place of the group's own. Secret.
  std::map<std::string, std::string> credentials = {};

  [[nodiscard]] const std::string& space() const { return name_space.empty() ? name : name_space; }

  friend bool operator==(const TenantOptions&, const TenantOptions&) = default;
};

// What becomes of a request whose credential is no tenant's, where there are tenants.
enum class UnknownKeys {
  kRefuse,
  kPass,  // as if there were no tenants
};

// What a tenant's rate counts, and that of a credential.
enum class RateCounts {
  kRequests,       // all of them
  kUpstreamCalls,  // those that go to an upstream: what the cache has is free
};

// kInvalidArgument names the tenant and what is wrong with it, and never repeats a secret.
// default_credential: that of the group "default", which is there where default_url is not empty.
[[nodiscard]] Status validate_tenants(const std::vector<TenantOptions>& tenants,
                                      const std::vector<UpstreamGroup>& groups,
                                      const std::string& default_url,
                                      const std::string& default_credential);

}  // namespace llm_edge_cache::proxy
