#include "serve/option_table.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "base/parse_number.hpp"
#include "http/io_threads.hpp"
#include "serve/rules_layer.hpp"
#include "serve/tenants_layer.hpp"
#include "serve/upstreams_layer.hpp"

namespace llm_edge_cache::app {

namespace {

using C = ServeConfig;
constexpr std::uint64_t kAnyBytes = std::uint64_t{1} << 50U;

constexpr std::array<std::string_view, 3> kScopes = {"credential", "shared", "header"};
constexpr std::array<std::string_view, 2> kNoYes = {"no", "yes"};
constexpr std::array<std::string_view, 2> kOnOff = {"on", "off"};
constexpr std::array<std::string_view, 2> kReadFrom = {"primary", "replica"};
constexpr std::array<std::string_view, 2> kUnknownKeys = {"refuse", "pass"};
constexpr std::array<std::string_view, 2> kRateCounts = {"requests", "upstream_calls"};
constexpr std::array<std::string_view, 7> kLogLevels = {"trace", "debug",    "info", "warning",
                                                        "error", "critical", "off"};
constexpr std::array<std::string_view, 2> kLogFormats = {"text", "json"};

constexpr auto kOptions = std::to_array<Option>({
    {"listen", "listen", &C::listen, "",
     "Address of the proxy, HOST:PORT; port 0 takes a free one"},
    {"admin-listen", "admin.listen", &C::admin_listen, "",
     "Address of health, metrics and the admin API; keep it private"},
    {"admin-token-file", "admin.token_file", &C::admin_token_file, "",
     "File, for its owner alone, with the bearer token of the admin API; required where "
     "admin-listen is not a loopback address"},
    {"tls-cert", "tls.cert", &C::tls_cert, "",
     "Certificate (PEM, with its chain) of the proxy's listener, which then speaks https (TLS 1.2 "
     "and 1.3); read again on SIGHUP, like the next four files"},
    {"tls-key", "tls.key", &C::tls_key, "", "Key of that certificate (PEM, not encrypted)"},
    {"tls-client-ca", "tls.client_ca", &C::tls_client_ca, "",
     "Authorities (PEM): only clients with a certificate of theirs may connect"},
    {"admin-tls-cert", "admin.tls_cert", &C::admin_tls_cert, "",
     "Certificate of the admin listener, likewise"},
    {"admin-tls-key", "admin.tls_key", &C::admin_tls_key, "", "Key of that certificate"},
    {"cors-origins", "cors_origins", &C::cors_origins, "",
     "Pages in a browser that may use the proxy: origins (https://app.example), with commas "
     "between "
     "them, or * for all; empty: what the providers say passes with their own answers alone"},
    {"threads",
     "threads",
     &C::threads,
     "threads",
     "I/O threads; 0 is one per processor",
     {},
     0,
     256},
    {"busy-poll-us",
     "busy_poll_us",
     &C::busy_poll_us,
     "us",
     "How long an I/O thread polls for more before it sleeps. It is woken sooner for that where "
     "idle processors are halted, as in virtual machines, and takes its core meanwhile. 0: never",
     {},
     0,
     http::IoThreadsOptions::kMaxBusyPollUs},
    {"drain-timeout-ms",
     "drain_timeout_ms",
     &C::drain_timeout_ms,
     "ms",
     "Time that requests have to end after SIGTERM",
     {},
     1},

    {"upstream", "upstream.url", &C::upstream, "",
     "Provider, http(s)://HOST[:PORT][/PREFIX], of what no upstreams of the file take"},
    {"upstream-credential",
     "",
     &C::upstream_credential,
     "",
     "Bearer token that goes to that provider in place of every credential of the client's",
     {},
     0,
     0,
     true},
    {"upstream-ca-file", "upstream.ca_file", &C::upstream_ca_file, "",
     "PEM file of authorities to trust beside the system's"},
    {"upstream-connect-timeout-ms",
     "upstream.connect_timeout_ms",
     &C::upstream_connect_timeout_ms,
     "ms",
     "Deadline of a connection to the provider, TLS included",
     {},
     1},
    {"upstream-first-byte-timeout-ms",
     "upstream.first_byte_timeout_ms",
     &C::upstream_first_byte_timeout_ms,
     "ms",
     "Deadline of the provider's first byte",
     {},
     1},
    {"upstream-idle-timeout-ms",
     "upstream.idle_timeout_ms",
     &C::upstream_idle_timeout_ms,
     "ms",
     "Longest silence within an answer of the provider",
     {},
     1},
    {"upstream-max-connections",
     "upstream.max_connections",
     &C::upstream_max_connections,
     "connections",
     "Connections to the provider per I/O thread",
     {},
     1,
     65'535},

    {"upstream-max-retries",
     "upstream.max_retries",
     &C::upstream_max_retries,
     "",
     "How often an upstream is asked again after no connection, or a 429 or 503 with Retry-After",
     {},
     0,
     16},
    {"upstream-retry-deadline-ms",
     "upstream.retry_deadline_ms",
     &C::upstream_retry_deadline_ms,
     "ms",
     "A request's last attempt starts within so much of its first",
     {},
     0,
     3'600'000},
    {"upstream-max-retry-wait-ms",
     "upstream.max_retry_wait_ms",
     &C::upstream_max_retry_wait_ms,
     "ms",
     "A longer Retry-After is not waited for",
     {},
     0,
     3'600'000},
    {"upstream-open-ms",
     "upstream.open_ms",
     &C::upstream_open_ms,
     "ms",
     "How long an upstream that fails is passed over for others of its group",
     {},
     1,
     3'600'000},

    {"l1-capacity", "l1.capacity", &C::l1_capacity, "entries", "Entries that memory holds", {}, 1},
    {"l1-max-bytes",
     "l1.max_bytes",
     &C::l1_max_bytes,
     "bytes",
     "Bytes that memory holds, keys and structures included",
     {},
     1U << 16U,
     kAnyBytes},
    {"l1-ttl-seconds", "l1.ttl_seconds", &C::l1_ttl_seconds, "s",
     "Life of an entry in memory; 0 is no limit"},
    {"l1-tti-seconds", "l1.tti_seconds", &C::l1_tti_seconds, "s",
     "Life of an entry in memory since it was last read; 0 is no limit"},

    {"l2", "l2.url", &C::l2, "",
     "Second store: none, disk:PATH (a folder of this process alone; ~/ is the home folder), "
     "redis://[[USER]:PASSWORD@]HOST[:PORT][/DB], redis+unix://[[USER]:PASSWORD@]/PATH[?db=N], "
     "redis+cluster://HOST[:PORT][,HOST..] or redis+sentinel://HOST[:PORT][,HOST..]/MASTER[/DB]; "
     "with TLS rediss://, rediss+cluster://, rediss+sentinel://"},
    {"l2-tls-ca-file", "l2.tls_ca_file", &C::l2_tls_ca_file, "",
     "Authorities (PEM) that may sign the store's certificate; empty: those of the system"},
    {"l2-tls-cert-file", "l2.tls_cert_file", &C::l2_tls_cert_file, "",
     "Certificate (PEM, with its chain) shown to a store that asks for one"},
    {"l2-tls-key-file", "l2.tls_key_file", &C::l2_tls_key_file, "",
     "Key of that certificate (PEM, not encrypted)"},
    {"l2-tls-server-name", "l2.tls_server_name", &C::l2_tls_server_name, "",
     "Name that the store's certificate must have; empty: the host connected to"},
    {"l2-tls-insecure-accept-any-certificate", "l2.tls_insecure_accept_any_certificate",
     &C::l2_tls_insecure_accept_any_certificate, "",
     "yes: INSECURE, anybody on the way to the store can read and change all entries", kNoYes},
    {"l2-sentinel-user", "l2.sentinel_user", &C::l2_sentinel_user, "",
     "User that logs in to the sentinels"},
    {"l2-sentinel-password",
     "",
     &C::l2_sentinel_password,
     "",
     "Password for the sentinels; that of the URL is for the servers they name",
     {},
     0,
     0,
     true},
    {"l2-read-from", "l2.read_from", &C::l2_read_from, "",
     "Who answers lookups in a cluster or behind sentinels; the primary does for a key that this "
     "proxy knows to have changed within 5 s, and while no replica is there",
     kReadFrom},
    {"l2-coherence", "l2.coherence", &C::l2_coherence, "",
     "Whether proxies on one Redis tell each other what they replace and remove, so that no memory "
     "answers with it",
     kOnOff},
    {"l2-flight-lease-ms",
     "l2.flight_lease_ms",
     &C::l2_flight_lease_ms,
     "ms",
     "Proxies on one Redis ask the provider once; how long they wait for one that died meanwhile. "
     "0: each asks for itself",
     {},
     0,
     600'000},
    {"l2-io-threads",
     "l2.io_threads",
     &C::l2_io_threads,
     "threads",
     "Threads that speak with the store",
     {},
     1,
     256},
    {"l2-connections-per-thread",
     "l2.connections_per_thread",
     &C::l2_connections_per_thread,
     "connections",
     "Connections that each of them has to a server",
     {},
     1,
     64},
    {"l2-busy-poll-us",
     "l2.busy_poll_us",
     &C::l2_busy_poll_us,
     "us",
     "How long such a thread polls for the answer to a lookup before it sleeps, as long as answers "
     "come that fast. 0: never",
     {},
     0,
     1'000},
    {"l2-key-prefix", "l2.key_prefix", &C::l2_key_prefix, "", "Prefix of every key in the store"},
    {"l2-ttl-seconds",
     "l2.ttl_seconds",
     &C::l2_ttl_seconds,
     "s",
     "Life of an entry in the store",
     {},
     1},
    {"l2-connect-timeout-ms",
     "l2.connect_timeout_ms",
     &C::l2_connect_timeout_ms,
     "ms",
     "Deadline of a connection to the store",
     {},
     1},
    {"l2-operation-timeout-ms",
     "l2.operation_timeout_ms",
     &C::l2_operation_timeout_ms,
     "ms",
     "Deadline of one operation of the store",
     {},
     1},
    {"l2-max-pending-writes",
     "l2.max_pending_writes",
     &C::l2_max_pending_writes,
     "entries",
     "Entries that wait to be written; more are dropped and counted",
     {},
     1},
    {"l2-max-pending-bytes",
     "l2.max_pending_bytes",
     &C::l2_max_pending_bytes,
     "bytes",
     "Bytes that wait to be written; more are dropped and counted",
     {},
     1,
     kAnyBytes},
    {"l2-max-bytes",
     "l2.max_bytes",
     &C::l2_max_bytes,
     "bytes",
     "Bytes that the folder of disk: holds; the oldest entries leave first",
     {},
     16U << 20U,
     kAnyBytes},
    {"l2-cache-bytes",
     "l2.cache_bytes",
     &C::l2_cache_bytes,
     "bytes",
     "Bytes of the folder's blocks, indexes and filters that are kept in memory",
     {},
     1U << 20U,
     kAnyBytes},

    {"l2-encryption-key",
     "",
     &C::l2_encryption_key,
     "",
     "Key that entries in the store are encrypted with (AES-256-GCM): 32 bytes, in hex or base64",
     {},
     0,
     0,
     true},
    {"l2-encryption-key-file", "l2.encryption_key_file", &C::l2_encryption_key_file, "",
     "File that holds that key; not readable by every user"},
    {"l2-encryption-old-key",
     "",
     &C::l2_encryption_old_key,
     "",
     "Second key, whose entries are read and not written: the former one, or the next",
     {},
     0,
     0,
     true},
    {"l2-encryption-old-key-file", "l2.encryption_old_key_file", &C::l2_encryption_old_key_file, "",
     "File that holds the second key"},
    {"l2-compress-over-bytes",
     "l2.compress_over_bytes",
     &C::l2_compress_over_bytes,
     "bytes",
     "Entries with more are compressed; 0 is 1,024, and 4,096 in Redis without a dictionary file",
     {},
     0,
     kAnyBytes},
    {"l2-dictionary-file", "l2.dictionary_file", &C::l2_dictionary_file, "",
     "Dictionary that entries are compressed with, from `llm-edge-cache dict train`"},
    {"l2-old-dictionary-file", "l2.old_dictionary_file", &C::l2_old_dictionary_file, "",
     "Second dictionary, whose entries are read and not written"},

    {"stale-while-revalidate-seconds",
     "freshness.stale_while_revalidate_seconds",
     &C::stale_while_revalidate_seconds,
     "s",
     "How long after its life an answer is given at once while it is asked for anew",
     {},
     0,
     kMaxRuleSeconds},
    {"stale-if-error-seconds",
     "freshness.stale_if_error_seconds",
     &C::stale_if_error_seconds,
     "s",
     "How long after its life an answer is given where the provider fails (5xx, 429, no answer)",
     {},
     0,
     kMaxRuleSeconds},
    {"ttl-jitter-percent",
     "freshness.ttl_jitter_percent",
     &C::ttl_jitter_percent,
     "%",
     "Lives are shortened by up to so much, by the key, so that they do not all end at once",
     {},
     0,
     100},

    {"max-entry-bytes",
     "max_entry_bytes",
     &C::max_entry_bytes,
     "bytes",
     "Larger answers are passed on and not stored",
     {},
     1,
     kAnyBytes},
    {"scope", "scope.mode", &C::scope, "",
     "Who shares answers: callers of one credential, all, or those with one value of a header",
     kScopes},
    {"scope-header", "scope.header", &C::scope_header, "",
     "That header, for a proxy behind a gateway that sets it: who reaches the proxy may send any "
     "value. Without it a request has the scope of its credential"},
    {"credential-headers", "scope.credential_headers", &C::credential_headers, "",
     "Further headers, with commas between them, that carry credentials, beside authorization, "
     "x-api-key, api-key, x-goog-api-key and cookie: part of the scope, and not sent on where the "
     "upstream has a credential of its own"},
    {"key-headers", "key.headers", &C::key_headers, "",
     "Further headers, with commas between them, that change an answer, beside those of "
     "docs/dialects.md: part of the key"},
    {"keyless-members", "key.keyless_members", &C::keyless_members, "",
     "Members of a body, with commas between them, that are no part of the key, in place of each "
     "endpoint's own list (docs/dialects.md)"},
    {"scope-secret",
     "",
     &C::scope_secret,
     "",
     "Secret under which credentials become scopes; every proxy on one store needs the same",
     {},
     0,
     0,
     true},
    {"scope-secret-file", "scope.secret_file", &C::scope_secret_file, "",
     "File that holds that secret; empty is $XDG_STATE_HOME/llm-edge-cache/secret, made on the "
     "first start"},

    {"unknown-keys", "unknown_keys", &C::unknown_keys, "",
     "What becomes of a request without a tenant's gateway key, where there are tenants: 401, or "
     "as "
     "if there were none",
     kUnknownKeys},
    {"tenant-rate-counts", "tenant_rate_counts", &C::tenant_rate_counts, "",
     "What uses up a tenant's or a credential's rate: every request, or only those that an "
     "upstream is asked for",
     kRateCounts},
    {"credential-requests-per-second", "credential_limits.requests_per_second",
     &C::credential_requests_per_second, "",
     "Rate of each credential that is no tenant's, with up to three decimals; empty is any"},
    {"credential-burst",
     "credential_limits.burst",
     &C::credential_burst,
     "requests",
     "Requests of such a credential that may come at once after a rest; 0 is those of one second, "
     "at least 1",
     {},
     0,
     1'000'000},
    {"credential-max-concurrent",
     "credential_limits.max_concurrent",
     &C::credential_max_concurrent,
     "requests",
     "Requests of such a credential that may be under way at once; 0 is any number",
     {},
     0,
     1'000'000},

    {"max-connections",
     "limits.max_connections",
     &C::max_connections,
     "connections",
     "Connections of clients; more are answered 503",
     {},
     1},
    {"max-header-bytes",
     "limits.max_header_bytes",
     &C::max_header_bytes,
     "bytes",
     "Request line and headers; more is 431",
     {},
     1'024,
     16U << 20U},
    {"max-body-bytes",
     "limits.max_body_bytes",
     &C::max_body_bytes,
     "bytes",
     "Request body; more is 413",
     {},
     1'024,
     kAnyBytes},
    {"tls-handshake-timeout-ms",
     "limits.tls_handshake_timeout_ms",
     &C::tls_handshake_timeout_ms,
     "ms",
     "Time that a client has for its TLS handshake; then it is cut",
     {},
     1},
    {"header-timeout-ms",
     "limits.header_timeout_ms",
     &C::header_timeout_ms,
     "ms",
     "Time that a client has to send its headers; then 408",
     {},
     1},
    {"body-timeout-ms",
     "limits.body_timeout_ms",
     &C::body_timeout_ms,
     "ms",
     "Time that a client has to send its body, on top of a second for every 1,024 bytes; then "
     "408",
     {},
     1},
    {"idle-timeout-ms",
     "limits.idle_timeout_ms",
     &C::idle_timeout_ms,
     "ms",
     "Life of a connection without a request",
     {},
     1},
    {"write-timeout-ms",
     "limits.write_timeout_ms",
     &C::write_timeout_ms,
     "ms",
     "Longest time that a client may read nothing of its answer",
     {},
     1},

    {"log-level", "log.level", &C::log_level, "", "Least severe event that is logged", kLogLevels},
    {"log-format", "log.format", &C::log_format, "", "Lines of text or of JSON on standard error",
     kLogFormats},
    {"access-log", "log.access", &C::access_log, "",
     "File that gets a line of JSON for each request, opened anew on SIGHUP; - is standard output, "
     "empty none"},
});

Error invalid(std::string_view origin, std::string_view text, const std::string& expected) {
  return {ErrorCode::kInvalidArgument, fmt::format("{}: '{}' is not {}", origin, text, expected)};
}

// What the parts of the proxy call otherwise than option_of() would.
constexpr auto kRenamedFields = std::to_array<std::pair<std::string_view, std::string_view>>({
    {"l1.max_entries", "l1-capacity"},
    {"l1.ttl_ms", "l1-ttl-seconds"},
    {"l1.tti_ms", "l1-tti-seconds"},
    {"l2.url", "l2"},
    {"l2.ttl_ms", "l2-ttl-seconds"},
    {"l2.max_entry_bytes", "max-entry-bytes"},
    {"l2.disk_max_bytes", "l2-max-bytes"},
    {"l2.disk_cache_bytes", "l2-cache-bytes"},
});

const Option* option_of(std::string_view field) {
  const auto renamed =
      std::ranges::find(kRenamedFields, field, [](const auto& pair) { return pair.first; });
  std::string name(renamed == kRenamedFields.end() ? field : renamed->second);
  std::ranges::replace_if(name, [](char c) { return c == '_' || c == '.'; }, '-');
  const auto option = std::ranges::find(kOptions, name, &Option::name);
  return option == kOptions.end() ? nullptr : &*option;
}

std::string code(std::string_view text) {
  return text.empty() ? "" : fmt::format("`{}`", text);
}

}  // namespace

std::string Option::flag() const {
  return environment_only ? std::string() : fmt::format("--{}", name);
}

std::string Option::label() const {
  return environment_only ? variable() : flag();
}

std::string Option::variable() const {
  std::string upper(name);
  for (char& c : upper) c = c == '-' ? '_' : static_cast<char>(std::toupper(c));
  return "LLM_EDGE_CACHE_" + upper;
}

std::span<const Option> serve_options() {
  return kOptions;
}

Status assign(ServeConfig& config, const Option& option, std::string_view text,
              std::string_view origin) {
  if (const auto* member = std::get_if<std::string C::*>(&option.field)) {
    if (!option.choices.empty() &&
        std::ranges::find(option.choices, text) == option.choices.end()) {
      return invalid(origin, text, fmt::format("one of {}", fmt::join(option.choices, ", ")));
    }
    config.** member = std::string(text);
    return {};
  }
  const auto value = parse_number<std::uint64_t>(text);
  if (!value || *value < option.min || *value > option.max) {
    return invalid(origin, text,
                   fmt::format("a whole number from {} to {}", option.min, option.max));
  }
  config.*std::get<std::uint64_t C::*>(option.field) = *value;
  return {};
}

std::string in_flags(std::string_view complaint) {
  std::string out;
  while (!complaint.empty() && complaint.front() != '\'') {
    const auto space = std::min(complaint.find(' '), complaint.size());
    const auto word = complaint.substr(0, space);
    const auto field = word.substr(0, word.find_first_of(":,"));
    // "scope" and "listen" are words of a sentence as well.
    const bool is_field = field.find_first_of("._") != std::string_view::npos;
    const auto* option = is_field ? option_of(field) : nullptr;
    out += option == nullptr ? std::string(field) : option->label();
    out += word.substr(field.size());
    complaint.remove_prefix(space);
    const auto gap = std::min<std::size_t>(1, complaint.size());
    out += complaint.substr(0, gap);
    complaint.remove_prefix(gap);
  }
  return out.append(complaint);
}

std::string default_text(const Option& option) {
  static const ServeConfig defaults;
  if (const auto* member = std::get_if<std::string C::*>(&option.field)) return defaults.**member;
  return std::to_string(defaults.*std::get<std::uint64_t C::*>(option.field));
}

std::string options_markdown() {
  std::string out =
      "# Configuration of `serve`\n\n"
      "A flag wins over the environment, the environment over the file (`--config FILE`, YAML), "
      "the file over the default.\n"
      "A name that is not in this table is an error that says where it stands; the prefix "
      "`LLM_EDGE_CACHE_` is ours alone,\n"
      "but for what Kubernetes says of Services whose names begin so, and "
      "`LLM_EDGE_CACHE_ADMIN_TOKEN`, which is the admin commands'.\n"
      "A key with a dot is a member of a mapping: `l1.capacity` is `capacity` "
      "under `l1:`.\n"
      "`serve --check` validates and exits.\n\n"
      "| flag | variable | file | default | unit | what it is |\n|---|---|---|---|---|---|\n";
  for (const auto& option : serve_options()) {
    std::string help(option.help);
    if (!option.choices.empty()) help += fmt::format(" ({})", fmt::join(option.choices, ", "));
    out += fmt::format("| {} | {} | {} | {} | {} | {} |\n", code(option.flag()),
                       code(option.variable()), code(option.yaml_key), code(default_text(option)),
                       option.unit, help);
  }
  return out + rules_markdown() + upstreams_markdown() + tenants_markdown();
}

}  // namespace llm_edge_cache::app
