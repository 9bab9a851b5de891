#include "proxy/tenant_options.hpp"

#include <algorithm>
#include <cctype>
#include <set>

#include "proxy/cache_rules.hpp"
#include "proxy/upstream_options.hpp"

namespace llm_edge_cache::proxy {
namespace {

Status invalid(const TenantOptions& tenant, const std::string& what) {
  return Error{ErrorCode::kInvalidArgument, "tenant '" + tenant.name + "': " + what};
}

bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= kMaxTenantNameBytes &&
         std::all_of(text.begin(), text.end(), [](unsigned char c) {
           return std::isalnum(c) != 0 || c == '.' || c == '_' || c == '-';
         });
}

Status validate_one(const TenantOptions& tenant) {
  if (!is_name(tenant.name) || !(tenant.name_space.empty() || is_name(tenant.name_space))) {
    return invalid(tenant, "name and namespace have 1 to " + std::to_string(kMaxTenantNameBytes) +
                               " letters, digits, '.', '_' and '-'");
  }
  if (tenant.keys.empty() || tenant.keys.size() > kMaxTenantKeys) {
    return invalid(tenant, "needs 1 to " + std::to_string(kMaxTenantKeys) + " keys");
  }
  if (tenant.max_ttl_ms && (*tenant.max_ttl_ms == 0 || *tenant.max_ttl_ms > kLongestLifeMs)) {
    return invalid(tenant, "max_ttl_ms must be from 1 to a hundred years");
  }
  if (const auto status = tenant.rate.validate(); !status.ok()) {
    return invalid(tenant, status.error().message);
  }
  for (const auto& [group, credential] : tenant.credentials) {
    if (credential.empty() || !is_credential_text(credential)) {
      return invalid(tenant, "the credential for upstream '" + group +
                                 "' has bytes that no header field can carry, or none");
    }
  }
  return {};
}

// The tenant's credential is for the group's provider, not for members of another.
bool has_credential(const TenantOptions& tenant, const UpstreamGroup& group) {
  const bool has_own = tenant.credentials.contains(group.name);
  return std::all_of(group.members.begin(), group.members.end(), [&](const auto& member) {
    const bool is_of_group = member.provider.empty() || member.provider == group.provider;
    return !member.credential.empty() || (has_own && is_of_group);
  });
}

Status validate_credentials(const TenantOptions& tenant, const std::vector<UpstreamGroup>& groups) {
  const auto lacking = std::find_if(groups.begin(), groups.end(), [&](const UpstreamGroup& group) {
    return !has_credential(tenant, group);
  });
  if (lacking != groups.end()) {
    return invalid(tenant, "upstream '" + lacking->name +
                               "' has no credential: a gateway key never goes up, so the upstream "
                               "or the tenant needs one");
  }
  for (const auto& [name, credential] : tenant.credentials) {
    if (std::none_of(groups.begin(), groups.end(),
                     [&](const UpstreamGroup& group) { return group.name == name; })) {
      return invalid(tenant,
                     "there is no upstream '" + name + "' that it could have a credential for");
    }
  }
  return {};
}

Status validate_pair(const TenantOptions& one, const TenantOptions& other) {
  if (one.name == other.name) return invalid(one, "the name is given twice");
  if (one.space() != other.space()) return {};
  if (one.name_space.empty() || other.name_space.empty()) {
    return invalid(one, "has the namespace of '" + other.name +
                            "': to share, both must name it as their namespace");
  }
  if (one.max_ttl_ms != other.max_ttl_ms) {
    return invalid(one, "shares a namespace with '" + other.name + "' and must have its TTL cap");
  }
  return {};
}

}  // namespace

Status validate_tenants(const std::vector<TenantOptions>& tenants,
                        const std::vector<UpstreamGroup>& groups, const std::string& default_url,
                        const std::string& default_credential) {
  if (tenants.size() > kMaxTenants) {
    return Error{ErrorCode::kInvalidArgument, "tenants: at most " + std::to_string(kMaxTenants)};
  }
  auto all_groups = groups;
  if (!default_url.empty()) {
    UpstreamGroup group;
    group.name = "default";
    group.members = {{.url = default_url, .credential = default_credential}};
    all_groups.push_back(std::move(group));
  }
  std::set<KeyDigest> keys;
  for (std::size_t i = 0; i < tenants.size(); ++i) {
    const auto& tenant = tenants[i];
    if (auto status = validate_one(tenant); !status.ok()) return status;
    if (auto status = validate_credentials(tenant, all_groups); !status.ok()) return status;
    for (std::size_t j = 0; j < i; ++j) {
      if (auto status = validate_pair(tenant, tenants[j]); !status.ok()) return status;
    }
    for (const auto& key : tenant.keys) {
      if (!keys.insert(key).second) return invalid(tenant, "a key is given twice");
    }
  }
  return {};
}

}  // namespace llm_edge_cache::proxy
