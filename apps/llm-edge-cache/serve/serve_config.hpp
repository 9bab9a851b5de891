// Everything that `serve` can be told. option_table.cpp names each field for flags, environment and
// file; docs/configuration.md is made from that table.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "http/client.hpp"
#include "http/server.hpp"
#include "llm_edge_cache/config.hpp"
#include "llm_edge_cache/result.hpp"
#include "proxy/cache_rules.hpp"
#include "proxy/proxy_options.hpp"
#include "proxy/tenant_options.hpp"

namespace llm_edge_cache::app {

struct ConfiguredRule {
  proxy::CacheRule rule;
  std::string origin;  // "proxy.yaml:12: rules[1]"

  friend bool operator==(const ConfiguredRule&, const ConfiguredRule&) = default;
};

struct ServeConfig {
  std::string listen = "127.0.0.1:8080";
  std::string admin_listen = "127.0.0.1:9090";
  std::string admin_token_file;
  std::string tls_cert;  // empty: plain HTTP; the same for the admin listener
  std::string tls_key;
  std::string tls_client_ca;
  std::string cors_origins;  // with commas between them; empty: none
  std::string admin_tls_cert;
  std::string admin_tls_key;
  std::uint64_t tls_handshake_timeout_ms = 10'000;
  std::uint64_t threads = 0;  // 0: one per processor
  std::uint64_t busy_poll_us = 0;
  std::uint64_t drain_timeout_ms = 10'000;

  std::string upstream;  // http(s)://host[:port][/prefix]
  std::string upstream_credential;
  std::string upstream_ca_file;
  std::uint64_t upstream_connect_timeout_ms = 5'000;
  std::uint64_t upstream_first_byte_timeout_ms = 600'000;
  std::uint64_t upstream_idle_timeout_ms = 300'000;
  std::uint64_t upstream_max_connections = 1'024;
  std::uint64_t upstream_max_retries = 2;
  std::uint64_t upstream_retry_deadline_ms = 630'000;
  std::uint64_t upstream_max_retry_wait_ms = 5'000;
  std::uint64_t upstream_open_ms = 10'000;
  std::vector<proxy::UpstreamGroup> upstreams;  // of the file alone; upstreams_layer.hpp

  std::uint64_t l1_capacity = 1'000;
  std::uint64_t l1_max_bytes = 256U << 20U;
  std::uint64_t l1_ttl_seconds = 300;
  std::uint64_t l1_tti_seconds = 120;

  std::string l2 = "none";
  std::string l2_tls_ca_file;
  std::string l2_tls_cert_file;
  std::string l2_tls_key_file;
  std::string l2_tls_server_name;
  std::string l2_tls_insecure_accept_any_certificate = "no";
  std::string l2_sentinel_user;
  std::string l2_sentinel_password;
  std::string l2_read_from = "primary";
  std::string l2_coherence = "on";
  std::uint64_t l2_flight_lease_ms = 3'000;
  std::uint64_t l2_io_threads = 1;
  std::uint64_t l2_connections_per_thread = 1;
  std::uint64_t l2_busy_poll_us = 100;
  std::string l2_key_prefix = "llm_cache:";
  std::uint64_t l2_ttl_seconds = 3'600;
  std::uint64_t l2_connect_timeout_ms = 1'000;
  std::uint64_t l2_operation_timeout_ms = 100;
  std::uint64_t l2_max_pending_writes = 10'000;
  std::uint64_t l2_max_pending_bytes = 64U << 20U;
  std::uint64_t l2_max_bytes = 4ULL << 30U;
  std::uint64_t l2_cache_bytes = 64U << 20U;
  std::string l2_encryption_key;
  std::string l2_encryption_key_file;
  std::string l2_encryption_old_key;
  std::string l2_encryption_old_key_file;
  std::uint64_t l2_compress_over_bytes = 0;  // 0: the store's own
  std::string l2_dictionary_file;
  std::string l2_old_dictionary_file;

  std::uint64_t stale_while_revalidate_seconds = 0;
  std::uint64_t stale_if_error_seconds = 0;
  std::uint64_t ttl_jitter_percent = 0;
  std::vector<ConfiguredRule> rules;  // of the file alone; rules_layer.hpp

  std::uint64_t max_entry_bytes = 8U << 20U;

  std::string scope = "credential";  // credential, shared or header
  std::string scope_header;
  std::string credential_headers;  // lists of names, with commas, beside those known anyway
  std::string key_headers;
  std::string keyless_members;  // in place of each endpoint's own
  std::string scope_secret;
  std::string scope_secret_file;

  std::uint64_t max_connections = 16'384;
  std::uint64_t max_header_bytes = 64U << 10U;
  std::uint64_t max_body_bytes = 32U << 20U;
  std::uint64_t header_timeout_ms = 10'000;
  std::uint64_t body_timeout_ms = 30'000;
  std::uint64_t idle_timeout_ms = 75'000;
  std::uint64_t write_timeout_ms = 30'000;

  std::vector<proxy::TenantOptions> tenants;  // of the file alone; tenants_layer.hpp
  std::string unknown_keys = "refuse";
  std::string tenant_rate_counts = "requests";
  std::string credential_requests_per_second;  // up to three decimals; empty: any
  std::uint64_t credential_burst = 0;          // 0: the requests of one second
  std::uint64_t credential_max_concurrent = 0;

  std::string log_level = "info";
  std::string log_format = "text";
  std::string access_log;

  // What no single option can tell alone. kInvalidArgument names the option.
  [[nodiscard]] Status validate() const;

  [[nodiscard]] bool has_l2() const { return l2 != "none"; }
  // In a folder of this machine, which no other process shares.
  [[nodiscard]] bool has_disk_l2() const { return l2.starts_with("disk:"); }

  // Life of an answer where neither rule nor request says less: the longer of the tiers' own, each
  // of which caps it.
  [[nodiscard]] std::uint64_t answer_life_ms() const;
  // The longest time that any rule lets an answer be served after its life.
  [[nodiscard]] std::uint64_t longest_stale_ms() const;

  // The same in the words of those who use it. scope_secret: scope_secret.hpp.
  [[nodiscard]] proxy::ProxyOptions proxy_options(const std::string& scope_secret) const;
  [[nodiscard]] L1Config l1_config() const;
  // Of a valid configuration.
  [[nodiscard]] L2Config l2_config() const;
  [[nodiscard]] proxy::CredentialLimits credential_limits() const;
  [[nodiscard]] http::ServerOptions server_options() const;
  // Nothing for plain HTTP.
  [[nodiscard]] std::optional<http::TlsServerOptions> tls_options() const;
  [[nodiscard]] std::optional<http::TlsServerOptions> admin_tls_options() const;
  [[nodiscard]] http::ClientOptions client_options() const;
  [[nodiscard]] proxy::RetryOptions retry_options() const;
};

}  // namespace llm_edge_cache::app
