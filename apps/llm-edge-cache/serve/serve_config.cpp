#include "serve/serve_config.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <initializer_list>
#include <optional>
#include <utility>

#include "base/sha256.hpp"
#include "core/entry_dictionary.hpp"
#include "core/entry_format.hpp"
#include "http/tls_context.hpp"
#include "http/url.hpp"
#include "proxy/cors_policy.hpp"
#include "serve/admin_access.hpp"
#include "serve/option_table.hpp"
#include "serve/rate_text.hpp"
#include "tiers/disk/disk_path.hpp"
#include "tiers/redis/backend_factory.hpp"
#include "tiers/redis/redis_url.hpp"

namespace llm_edge_cache::app {

namespace {

Error invalid_config(std::string message) {
  return {ErrorCode::kInvalidArgument, std::move(message)};
}

Status validate_address(std::string_view option, const std::string& text) {
  const auto address = http::parse_host_port(text);
  if (address) return {};
  return invalid_config(fmt::format("--{}: '{}': {}", option, text, address.error().message));
}

// Of a part, which knows its fields and not the options that fill them.
Status with_flags(const Status& status) {
  return status ? Status() : Status(invalid_config(in_flags(status.error().message)));
}

struct NamedFile {
  std::string option;
  std::string_view file;
};

// TLS complains of "key file 'PATH' .." and does not know by which option that came.
std::string with_option_of_file(const std::string& complaint,
                                std::initializer_list<NamedFile> files) {
  const auto quoted = complaint.substr(std::min(complaint.find('\''), complaint.size()));
  for (const auto& [option, file] : files) {
    if (quoted.starts_with(fmt::format("'{}'", file))) {
      return fmt::format("--{}: {}", option, complaint);
    }
  }
  return complaint;
}

// As far as it can be said without connecting: the files of TLS are read as the tier reads them.
Status validate_store(const L2Config& config) {
  if (disk::is_disk_url(config.url)) {
    const auto path = disk::parse_disk_url(config.url);
    return path.ok() ? disk::check_folder(*path) : Status(path.error());
  }
  const auto url = redis::RedisUrl::parse(config.url);
  if (!url.ok()) return url.error();
  const auto factory = redis::BackendFactory::make(config, *url);
  if (factory.ok()) return {};
  return invalid_config(
      with_option_of_file(factory.error().message, {{"l2-tls-ca-file", config.tls_ca_file},
                                                    {"l2-tls-cert-file", config.tls_cert_file},
                                                    {"l2-tls-key-file", config.tls_key_file}}));
}

template <class Load>
Status validate_file(std::string_view option, const std::string& file, Load load) {
  if (file.empty()) return {};
  const auto loaded = load(file);
  if (loaded.ok()) return {};
  return invalid_config(fmt::format("--{}: {}", option, loaded.error().message));
}

// What entries are stored with.
Status validate_format(const ServeConfig& config) {
  for (const auto& [option, file] :
       {std::pair("l2-encryption-key-file", &config.l2_encryption_key_file),
        std::pair("l2-encryption-old-key-file", &config.l2_encryption_old_key_file)}) {
    if (auto status = validate_file(option, *file, EncryptionKey::load); !status) return status;
  }
  for (const auto& [option, file] :
       {std::pair("l2-dictionary-file", &config.l2_dictionary_file),
        std::pair("l2-old-dictionary-file", &config.l2_old_dictionary_file)}) {
    if (auto status = validate_file(option, *file, EntryDictionary::load); !status) return status;
  }
  const auto format = EntryFormat::of(config.l2_config());
  if (format) return {};
  if (config.l2_encryption_old_key_file.empty()) return format.error();
  return invalid_config("--l2-encryption-old-key-file must not be the one that is written with");
}

// The URL may hold a password: no message repeats it.
Status with_flags_of_store(const Status& status) {
  if (status) return {};
  const auto message = in_flags(status.error().message);
  const bool names_option = message.starts_with("--") || message.starts_with("LLM_EDGE_CACHE_");
  return invalid_config(names_option ? message : "--l2: " + message);
}

Status validate_key(std::string_view variable, const std::string& text) {
  if (text.empty()) return {};
  const auto key = EncryptionKey::parse(text);
  if (key) return {};
  return invalid_config(fmt::format("{}: {}", variable, key.error().message));
}

Status validate_l2(const ServeConfig& config) {
  for (const auto& [variable, text] :
       {std::pair("LLM_EDGE_CACHE_L2_ENCRYPTION_KEY", &config.l2_encryption_key),
        std::pair("LLM_EDGE_CACHE_L2_ENCRYPTION_OLD_KEY", &config.l2_encryption_old_key)}) {
    if (auto status = validate_key(variable, *text); !status) return status;
  }
  if (auto status = with_flags_of_store(config.l2_config().validate()); !status) return status;
  if (auto status = with_flags_of_store(validate_store(config.l2_config())); !status) return status;
  return with_flags_of_store(validate_format(config));
}

std::optional<EncryptionKey> key_of(const std::string& text) {
  if (text.empty()) return std::nullopt;
  return EncryptionKey::parse(text).value();
}

// No shell expands a "~" that stands behind "disk:".
std::string with_home(const std::string& url) {
  constexpr std::string_view kInHome = "disk:~/";
  const char* home = std::getenv("HOME");
  if (!url.starts_with(kInHome) || home == nullptr || *home == '\0') return url;
  return fmt::format("disk:{}/{}", home, url.substr(kInHome.size()));
}

void append_names(std::vector<std::string>& names, std::string_view list) {
  http::for_each_token(list, [&](std::string_view name) { names.emplace_back(name); });
}

std::vector<std::string> names_in(std::string_view list) {
  std::vector<std::string> names;
  append_names(names, list);
  return names;
}

Status validate_cors_origins(const std::string& list) {
  const auto status = proxy::CorsPolicy::validate(names_in(list));
  return status.ok() ? Status() : invalid_config("--cors-origins: " + status.error().message);
}

// What a question is asked by cannot be left out of its key, and a plain request and a stream have
// one key by leaving out what tells them apart.
Status validate_keyless_members(const std::string& list) {
  if (list.empty()) return {};
  const auto names = names_in(list);
  for (const auto* name : {"model", "messages", "prompt", "input", "system", "tools"}) {
    if (std::ranges::find(names, name) != names.end()) {
      return invalid_config(fmt::format("--keyless-members: '{}' changes every answer", name));
    }
  }
  if (std::ranges::find(names, "stream") == names.end()) {
    return invalid_config("--keyless-members: 'stream' must be one of them");
  }
  return {};
}

std::int64_t signed_ms(std::uint64_t ms) {
  return static_cast<std::int64_t>(ms);
}

Status validate_admin(const std::string& listen, const std::string& token_file) {
  if (token_file.empty()) {
    if (is_loopback(listen)) return {};
    return invalid_config(fmt::format(
        "--admin-listen: '{}' is beyond this machine: --admin-token-file is required then",
        listen));
  }
  const auto token = AdminAccess::load_token(token_file);
  return token ? Status() : Status(invalid_config("--admin-token-file: " + token.error().message));
}

// The files of a listener, read as the listener will read them. prefix: "tls" or "admin-tls".
Status validate_tls(std::string_view prefix, const http::TlsServerOptions& tls) {
  const bool has_certificate = !tls.certificate_file.empty();
  if (has_certificate != !tls.key_file.empty()) {
    return invalid_config(fmt::format("--{0}-cert and --{0}-key go together", prefix));
  }
  if (!has_certificate) {
    if (tls.client_ca_file.empty()) return {};
    return invalid_config(fmt::format("--{0}-client-ca: needs --{0}-cert and --{0}-key", prefix));
  }
  const auto context = http::make_server_context(tls);
  if (context) return {};
  return invalid_config(with_option_of_file(
      context.error().message, {{fmt::format("{}-cert", prefix), tls.certificate_file},
                                {fmt::format("{}-key", prefix), tls.key_file},
                                {fmt::format("{}-client-ca", prefix), tls.client_ca_file}}));
}

Status validate_authorities(std::string_view option, const std::string& file) {
  if (file.empty()) return {};
  const auto context = http::make_client_context({.extra_ca_file = file});
  if (context) return {};
  return invalid_config(fmt::format("--{}: {}", option, context.error().message));
}

// A tenant must not hold the operator's token.
Status validate_admin_key(const std::string& token_file,
                          const std::vector<proxy::TenantOptions>& tenants) {
  if (token_file.empty() || tenants.empty()) return {};
  const auto token = AdminAccess::load_token(token_file);
  if (!token) return invalid_config("--admin-token-file: " + token.error().message);
  const auto digest = sha256(*token);
  for (const auto& tenant : tenants) {
    if (std::ranges::find(tenant.keys, digest) != tenant.keys.end()) {
      return invalid_config(
          fmt::format("tenant '{}': one of its keys is the admin token", tenant.name));
    }
  }
  return {};
}

Status validate_rule(const ConfiguredRule& rule, std::uint64_t longest_ms) {
  if (rule.rule.ttl_ms.value_or(0) <= longest_ms &&
      rule.rule.max_ttl_ms.value_or(0) <= longest_ms) {
    return {};
  }
  return invalid_config(
      fmt::format("{}: no tier keeps an answer for more than {} s: raise --l1-ttl-seconds or "
                  "--l2-ttl-seconds",
                  rule.origin, longest_ms / 1'000));
}

}  // namespace

Status ServeConfig::validate() const {
  if (auto status = validate_address("listen", listen); !status) return status;
  if (auto status = validate_address("admin-listen", admin_listen); !status) return status;
  if (auto status = validate_admin(admin_listen, admin_token_file); !status) return status;
  if (auto status = validate_tls("tls", {tls_cert, tls_key, tls_client_ca}); !status) return status;
  if (auto status = validate_tls("admin-tls", {admin_tls_cert, admin_tls_key}); !status) {
    return status;
  }
  if (auto status = validate_cors_origins(cors_origins); !status) return status;
  if (upstream.empty() && upstreams.empty()) {
    return invalid_config(
        "--upstream is required: the URL of the provider, such as http://127.0.0.1:8081; or the "
        "list upstreams of the file");
  }
  if (const auto url = http::parse_url(upstream); !upstream.empty() && !url) {
    return invalid_config(fmt::format("--upstream: '{}': {}", http::without_user_info(upstream),
                                      url.error().message));
  }
  if (auto status = validate_authorities("upstream-ca-file", upstream_ca_file); !status) {
    return status;
  }
  if (!credential_requests_per_second.empty() && !read_rate(credential_requests_per_second)) {
    return invalid_config(fmt::format("--credential-requests-per-second: '{}' is not {}",
                                      credential_requests_per_second, kRateRange));
  }
  if (max_entry_bytes > l1_max_bytes) {
    return invalid_config("--max-entry-bytes: no entry can be larger than --l1-max-bytes");
  }
  if ((scope == "header") == scope_header.empty()) {
    return invalid_config("--scope-header: goes with --scope header, and the other way round");
  }
  if (auto status = validate_keyless_members(keyless_members); !status) return status;
  if (!scope_secret.empty() && !scope_secret_file.empty()) {
    return invalid_config("LLM_EDGE_CACHE_SCOPE_SECRET and --scope-secret-file exclude each other");
  }
  if (auto status = with_flags(l1_config().validate()); !status) return status;
  for (const auto& rule : rules) {
    if (auto status = validate_rule(rule, answer_life_ms()); !status) return status;
  }
  if (auto status = validate_admin_key(admin_token_file, tenants); !status) return status;
  if (auto status = with_flags(proxy_options({}).validate()); !status) return status;
  if (auto status = with_flags(server_options().validate()); !status) return status;
  return has_l2() ? validate_l2(*this) : Status();
}

std::uint64_t ServeConfig::answer_life_ms() const {
  const auto l1_ms = l1_ttl_seconds == 0 ? proxy::kLongestLifeMs : l1_ttl_seconds * 1'000;
  const auto life_ms = has_l2() ? std::max(l1_ms, l2_ttl_seconds * 1'000) : l1_ms;
  return std::min(life_ms, proxy::kLongestLifeMs);
}

std::uint64_t ServeConfig::longest_stale_ms() const {
  auto longest_ms = std::max(stale_while_revalidate_seconds, stale_if_error_seconds) * 1'000;
  for (const auto& [rule, origin] : rules) {
    longest_ms = std::max({longest_ms, rule.stale_while_revalidate_ms.value_or(0),
                           rule.stale_if_error_ms.value_or(0)});
  }
  return longest_ms;
}

proxy::CredentialLimits ServeConfig::credential_limits() const {
  proxy::CredentialLimits limits;
  limits.rate.per_1000_s = read_rate(credential_requests_per_second).value_or(0);
  limits.rate.burst =
      credential_burst == 0 ? burst_of_a_second(limits.rate.per_1000_s) : credential_burst;
  limits.max_concurrent = credential_max_concurrent;
  return limits;
}

proxy::ProxyOptions ServeConfig::proxy_options(const std::string& secret) const {
  proxy::ProxyOptions options;
  options.upstream_url = upstream;
  options.upstreams = upstreams;
  options.upstream_credential = upstream_credential;
  options.tenants = tenants;
  options.admission = {.unknown_keys = unknown_keys == "pass" ? proxy::UnknownKeys::kPass
                                                              : proxy::UnknownKeys::kRefuse,
                       .rate_counts = tenant_rate_counts == "upstream_calls"
                                          ? proxy::RateCounts::kUpstreamCalls
                                          : proxy::RateCounts::kRequests,
                       .credentials = credential_limits()};
  options.retries = retry_options();
  options.client = client_options();
  options.scope = scope == "shared"   ? proxy::ScopeMode::kShared
                  : scope == "header" ? proxy::ScopeMode::kHeader
                                      : proxy::ScopeMode::kCredential;
  options.scope_header = scope_header;
  append_names(options.credential_headers, credential_headers);
  append_names(options.key_headers, key_headers);
  append_names(options.keyless_members, keyless_members);
  options.cors_origins = names_in(cors_origins);
  options.scope_secret = secret;
  options.ttl_ms = answer_life_ms();
  options.stale_while_revalidate_ms = stale_while_revalidate_seconds * 1'000;
  options.stale_if_error_ms = stale_if_error_seconds * 1'000;
  options.ttl_jitter_percent = ttl_jitter_percent;
  for (const auto& configured : rules) options.rules.push_back(configured.rule);
  options.max_entry_bytes = max_entry_bytes;
  options.max_request_bytes = max_body_bytes;
  return options;
}

L1Config ServeConfig::l1_config() const {
  return {.max_entries = l1_capacity,
          .max_bytes = l1_max_bytes,
          .ttl_ms = l1_ttl_seconds * 1'000,
          .tti_ms = l1_tti_seconds * 1'000};
}

L2Config ServeConfig::l2_config() const {
  L2Config config;
  config.url = with_home(l2);
  config.tls_ca_file = l2_tls_ca_file;
  config.tls_cert_file = l2_tls_cert_file;
  config.tls_key_file = l2_tls_key_file;
  config.tls_server_name = l2_tls_server_name;
  config.tls_insecure_accept_any_certificate = l2_tls_insecure_accept_any_certificate == "yes";
  config.sentinel_user = l2_sentinel_user;
  config.sentinel_password = l2_sentinel_password;
  if (l2_read_from == "replica") config.read_from = L2Config::ReadFrom::kReplica;
  config.coherence = l2_coherence == "on";
  config.flight_lease_ms = l2_flight_lease_ms;
  config.io_threads = l2_io_threads;
  config.connections_per_thread = l2_connections_per_thread;
  config.busy_poll_us = l2_busy_poll_us;
  config.key_prefix = l2_key_prefix;
  // What is kept to be served stale stays beyond its life.
  config.ttl_ms = l2_ttl_seconds * 1'000 + longest_stale_ms();
  config.connect_timeout_ms = l2_connect_timeout_ms;
  config.operation_timeout_ms = l2_operation_timeout_ms;
  config.max_pending_writes = l2_max_pending_writes;
  config.max_pending_bytes = l2_max_pending_bytes;
  config.disk_max_bytes = l2_max_bytes;
  config.disk_cache_bytes = l2_cache_bytes;
  config.max_entry_bytes = max_entry_bytes;
  config.encryption_key = key_of(l2_encryption_key);
  config.encryption_old_key = key_of(l2_encryption_old_key);
  config.encryption_key_file = l2_encryption_key_file;
  config.encryption_old_key_file = l2_encryption_old_key_file;
  config.compress_over_bytes = l2_compress_over_bytes;
  config.dictionary_file = l2_dictionary_file;
  config.old_dictionary_file = l2_old_dictionary_file;
  return config;
}

http::ServerOptions ServeConfig::server_options() const {
  http::ServerOptions options;
  options.listen = listen;
  options.tls = tls_options();
  options.tls_handshake_timeout_ms = signed_ms(tls_handshake_timeout_ms);
  options.max_connections = max_connections;
  options.max_header_bytes = max_header_bytes;
  options.max_body_bytes = max_body_bytes;
  options.header_timeout_ms = signed_ms(header_timeout_ms);
  options.body_timeout_ms = signed_ms(body_timeout_ms);
  options.idle_timeout_ms = signed_ms(idle_timeout_ms);
  options.write_timeout_ms = signed_ms(write_timeout_ms);
  options.drain_timeout_ms = signed_ms(drain_timeout_ms);
  return options;
}

std::optional<http::TlsServerOptions> ServeConfig::tls_options() const {
  if (tls_cert.empty()) return std::nullopt;
  return http::TlsServerOptions{tls_cert, tls_key, tls_client_ca};
}

std::optional<http::TlsServerOptions> ServeConfig::admin_tls_options() const {
  if (admin_tls_cert.empty()) return std::nullopt;
  return http::TlsServerOptions{admin_tls_cert, admin_tls_key};
}

proxy::RetryOptions ServeConfig::retry_options() const {
  proxy::RetryOptions options;
  options.max_retries = static_cast<std::uint32_t>(upstream_max_retries);
  options.deadline_ms = signed_ms(upstream_retry_deadline_ms);
  options.max_wait_ms = signed_ms(upstream_max_retry_wait_ms);
  options.open_ms = signed_ms(upstream_open_ms);
  return options;
}

http::ClientOptions ServeConfig::client_options() const {
  http::ClientOptions options;
  options.tls.extra_ca_file = upstream_ca_file;
  options.connect_timeout_ms = signed_ms(upstream_connect_timeout_ms);
  options.first_byte_timeout_ms = signed_ms(upstream_first_byte_timeout_ms);
  options.idle_read_timeout_ms = signed_ms(upstream_idle_timeout_ms);
  options.max_connections_per_origin = upstream_max_connections;
  options.max_idle_per_origin = std::min<std::size_t>(upstream_max_connections, 64);
  return options;
}

}  // namespace llm_edge_cache::app
