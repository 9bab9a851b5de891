// What an operator decides about the proxy.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "http/client.hpp"
#include "llm_edge_cache/result.hpp"
#include "proxy/access_record.hpp"
#include "proxy/cache_rules.hpp"
#include "proxy/caller.hpp"
#include "proxy/tenant_options.hpp"
#include "proxy/upstream_options.hpp"

namespace llm_edge_cache::proxy {

// Whose answers a request may get.
enum class ScopeMode {
  kCredential,  // those that the same credential stored
  kShared,      // everybody's
  kHeader,      // those of one scope_header; without it as kCredential
};

struct ProxyOptions {
  // http(s)://host[:port][/base]; a request for /v1/x goes to /base/v1/x.
  // Empty: only the groups below have one.
  std::string upstream_url;
  // Secret. Goes to upstream_url in place of every credential of the client's; empty: those pass.
  std::string upstream_credential = {};
  // They go before upstream_url: it gets what no group takes.
  std::vector<UpstreamGroup> upstreams = {};
  RetryOptions retries = {};
  http::ClientOptions client;

  ScopeMode scope = ScopeMode::kCredential;
  // Of kHeader: the field whose value is the scope. Whoever reaches the proxy may send any value:
  // for proxies behind a gateway that sets it.
  std::string scope_header = {};
  // Keys the scopes. Instances that share a store need the same one. May be empty: scopes are then
  // plain digests, which keep tenants apart as well but can be told from a guessed credential.
  std::string scope_secret;
  // Header fields that carry credentials. All of them together make the scope.
  std::vector<std::string> credential_headers = {"authorization", "x-api-key", "api-key",
                                                 "x-goog-api-key", "cookie"};
  // Who may ask, where there are any. Their requests have the tenant's scope, whatever scope is.
  std::vector<TenantOptions> tenants = {};
  AdmissionRules admission = {};
  // Pages in a browser that may use the proxy: CorsPolicy's origins. Empty: what the provider says
  // of pages passes, unless whoever reaches the proxy asks with the operator's credential.
  std::vector<std::string> cors_origins = {};
  // Header fields that change an answer.
  std::vector<std::string> key_headers = {"anthropic-version",
                                          "anthropic-beta",
                                          "anthropic-workspace-id",
                                          "anthropic-user-profile-id",
                                          "openai-organization",
                                          "openai-project",
                                          "openai-beta"};
  // Body members that do not; empty: the dialect's own list.
  std::vector<std::string> keyless_members;

  // Life of an answer. Tiers cap it by their own; a request can shorten it.
  std::uint64_t ttl_ms = 3'600'000;
  // As in CachePolicy.
  std::uint64_t stale_while_revalidate_ms = 0;
  std::uint64_t stale_if_error_ms = 0;
  std::uint64_t ttl_jitter_percent = 0;
  // They go before the four above.
  std::vector<CacheRule> rules = {};
  // Larger answers pass, and are not stored.
  std::size_t max_entry_bytes = 8U << 20U;
  // Requests to a cached endpoint that are larger get 413.
  std::size_t max_request_bytes = 32U << 20U;
  // How many raw bodies the proxy remembers the key of; 0: none. Those of up to 2 KiB are kept
  // themselves, of the others a digest: 36 MB at most.
  std::size_t memo_entries = 16'384;

  // Whether somebody who shows no key of a tenant's may ask with a credential of the operator's.
  [[nodiscard]] bool pays_for_the_unknown() const;
  // Where no rule matches.
  [[nodiscard]] CachePolicy default_policy() const;
  // How long others may join a call that goes on. Nothing is stored of one that takes longer.
  [[nodiscard]] std::chrono::milliseconds longest_shared_call() const {
    return std::chrono::milliseconds(client.first_byte_timeout_ms + client.idle_read_timeout_ms);
  }

  // Told of every request; null: nothing is logged.
  std::shared_ptr<AccessSink> access_log = {};

  // kInvalidArgument names the field.
  [[nodiscard]] Status validate() const;
};

}  // namespace llm_edge_cache::proxy
