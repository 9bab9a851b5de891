#include "proxy/proxy_options.hpp"

#include "http/url.hpp"

namespace llm_edge_cache::proxy {
namespace {

Status invalid(std::string message) {
  return Error{ErrorCode::kInvalidArgument, std::move(message)};
}

}  // namespace

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
  if (const auto url = http::parse_url(upstream_url); !url.ok()) {
    return invalid("upstream_url: " + url.error().message);
  }
  if (auto status = CacheRules::validate(default_policy(), rules); !status.ok()) {
    return status;
  }
  if (max_entry_bytes == 0) {
    return invalid("max_entry_bytes must be at least 1");
  }
  if (max_request_bytes == 0) {
    return invalid("max_request_bytes must be at least 1");
  }
  if (scope == ScopeMode::kCredential && credential_headers.empty()) {
    return invalid("credential_headers must not be empty unless the scope is shared");
  }
  return client.validate();
}

}  // namespace llm_edge_cache::proxy
