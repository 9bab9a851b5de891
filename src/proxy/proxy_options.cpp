#include "proxy/proxy_options.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include "proxy/cors_policy.hpp"
#include "proxy/upstream_table.hpp"

namespace llm_edge_cache::proxy {
namespace {

Status invalid(std::string message) {
  return Error{ErrorCode::kInvalidArgument, std::move(message)};
}

Status validate_names(const char* field, const std::vector<std::string>& names) {
  for (const auto& name : names) {
    if (!http::is_field_name(name)) {
      return invalid(std::string(field) + ": '" + name + "' names no header field");
    }
  }
  return {};
}

}  // namespace

bool ProxyOptions::pays_for_the_unknown() const {
  const auto has_credential = [](const UpstreamGroup& group) {
    return std::any_of(group.members.begin(), group.members.end(),
                       [](const UpstreamMember& member) { return !member.credential.empty(); });
  };
  const bool may_be_unknown = tenants.empty() || admission.unknown_keys == UnknownKeys::kPass;
  return may_be_unknown && (!upstream_credential.empty() ||
                            std::any_of(upstreams.begin(), upstreams.end(), has_credential));
}

CachePolicy ProxyOptions::default_policy() const {
  CachePolicy policy;
  policy.ttl_ms = ttl_ms;
  policy.max_ttl_ms = ttl_ms;
  policy.stale_while_revalidate_ms = stale_while_revalidate_ms;
  policy.stale_if_error_ms = stale_if_error_ms;
  policy.ttl_jitter_percent = ttl_jitter_percent;
  return policy;
}

Status ProxyOptions::validate() const {
  if (auto status = UpstreamTable::validate(upstreams, upstream_url); !status.ok()) {
    return status;
  }
  if (!is_credential_text(upstream_credential)) {
    return invalid("upstream_credential has bytes that no header field can carry");
  }
  if (const auto status = retries.validate(); !status.ok()) {
    return invalid("retries." + status.error().message);
  }
  if (auto status = CacheRules::validate(default_policy(), rules); !status.ok()) {
    return status;
  }
  if (auto status = validate_tenants(tenants, upstreams, upstream_url, upstream_credential);
      !status.ok()) {
    return status;
  }
  if (auto status = admission.credentials.validate(); !status.ok()) {
    return status;
  }
  if (const auto status = CorsPolicy::validate(cors_origins); !status.ok()) {
    return invalid("cors_origins: " + status.error().message);
  }
  if (max_entry_bytes == 0) {
    return invalid("max_entry_bytes must be at least 1");
  }
  if (max_request_bytes == 0) {
    return invalid("max_request_bytes must be at least 1");
  }
  if (auto status = validate_names("credential_headers", credential_headers); !status.ok()) {
    return status;
  }
  if (auto status = validate_names("key_headers", key_headers); !status.ok()) {
    return status;
  }
  if (scope == ScopeMode::kHeader && !http::is_field_name(scope_header)) {
    return invalid("scope_header must name a header field where the scope is one");
  }
  if (scope != ScopeMode::kShared && credential_headers.empty()) {
    return invalid("credential_headers must not be empty unless the scope is shared");
  }
  return client.validate();
}

}  // namespace llm_edge_cache::proxy
