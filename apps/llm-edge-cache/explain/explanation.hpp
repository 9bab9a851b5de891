// What `serve` would do with a request, and why. Every decision is made by the functions that the
// proxy itself calls (proxy/request_decision.hpp); nothing here decides.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/message.hpp"
#include "llm_edge_cache/result.hpp"
#include "proxy/cache_decision.hpp"
#include "proxy/cache_rules.hpp"
#include "proxy/dialects/dialect.hpp"
#include "serve/serve_config.hpp"

namespace llm_edge_cache::app {

// For how long this request is given a stored answer, in its own words and its tenant's too. All 0
// where nothing is looked up.
struct ServingWindows {
  std::uint64_t fresh_ms = 0;  // from when it was stored
  // After its life: while it is asked for anew, and at once for any reason (max-stale).
  std::uint64_t stale_while_revalidate_ms = 0;
  std::uint64_t stale_at_once_ms = 0;
  std::uint64_t stale_if_error_ms = 0;  // after the request would rather have a younger one

  friend bool operator==(const ServingWindows&, const ServingWindows&) = default;
};

struct ExplainedDecision {
  bool is_streamed = false;
  bool is_in_parts = false;
  proxy::RequestTraits traits;
  std::optional<ConfiguredRule> rule;  // empty: the defaults
  std::size_t rule_number = 0;         // from 1
  proxy::CachePolicy policy;
  proxy::RequestPlan plan;
  proxy::Lifetimes life;  // of elements of a request for embeddings, the shortest
  ServingWindows windows;
  std::vector<std::string> keyless_members;  // of the body, by name
};

struct Explanation {
  std::string path;
  bool is_known_endpoint = false;  // a dialect caches requests to it
  // Why the answer is not stored, or why the request is passed through or refused; empty where
  // nothing speaks against the cache.
  std::string objection;
  // The error that the client gets at once; empty for none.
  std::optional<proxy::ProxyError> refusal;

  // 64 hex digits: one, or one for each element of a request for embeddings. None where the request
  // has no key, or the key cannot be known from here.
  std::vector<std::string> keys;
  std::string why_no_key;

  proxy::ScopeMode scope = proxy::ScopeMode::kCredential;
  // The one whose gateway key the request has; empty for none. Its space is the scope then.
  std::string tenant;
  std::string tenant_space;
  std::string name_space;
  std::vector<std::string> credential_headers;  // of the request that make the scope, by name
  // That hold for the request beside those of all; empty where it is a tenant's, or none is set.
  std::optional<proxy::CredentialLimits> credential_limits;
  std::vector<std::string> key_headers;  // likewise

  // Empty where the request has no key: nothing more is decided then.
  std::optional<ExplainedDecision> decision;

  std::uint64_t l1_ttl_ms = 0;
  std::uint64_t l1_tti_ms = 0;
  std::optional<std::uint64_t> l2_ttl_ms;  // empty: there is no store
};

// The secret that `serve` with this configuration would key scopes with; empty where it makes one
// that dies with it, or has not made its own yet.
[[nodiscard]] Result<std::string> known_scope_secret(const ServeConfig& config);

// scope_secret: empty where it cannot be known; a key that depends on it cannot be told then.
[[nodiscard]] Explanation explain(const ServeConfig& config, const std::string& scope_secret,
                                  const http::RequestHead& head, std::string_view body);

[[nodiscard]] nlohmann::ordered_json to_json(const Explanation& explanation);
// Lines for people.
[[nodiscard]] std::string to_text(const Explanation& explanation);

}  // namespace llm_edge_cache::app
