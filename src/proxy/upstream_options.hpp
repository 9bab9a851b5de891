// What an operator says about the providers: groups of upstreams, and how often they are asked.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "llm_edge_cache/result.hpp"

namespace llm_edge_cache::proxy {

inline constexpr std::size_t kMaxUpstreamGroups = 64;
inline constexpr std::size_t kMaxUpstreamMembers = 16;  // of one group
inline constexpr std::size_t kMaxUpstreamNameBytes = 64;

// Whether a header field can carry it: visible ASCII without blanks.
[[nodiscard]] bool is_credential_text(std::string_view text);

struct UpstreamMember {
  std::string url;  // http(s)://host[:port][/base]; a request for /v1/x goes to /base/v1/x
  // Whose account this is, where it is not the group's provider. Such a member needs a credential
  // of its own: the client's is for the group's provider.
  std::string provider = {};
  // Secret. Goes up in place of every credential of the client's; empty: the client's pass.
  std::string credential = {};
  // The field that carries it: "authorization" (as a bearer token) or "x-api-key"; empty: as the
  // provider has it.
  std::string credential_header = {};

  friend bool operator==(const UpstreamMember&, const UpstreamMember&) = default;
};

// Members that answer alike. The group is part of the key and its members are not, so that it does
// not matter to the cache who answered.
struct UpstreamGroup {
  std::string name;  // letters, digits, '.', '_', '-'
  // A request belongs to the first group whose conditions it meets.
  std::string path = {};                 // of the request or a folder above it; empty: any
  std::vector<std::string> models = {};  // globs; empty: any, and requests without a model
  std::string provider = {};             // "openai", "anthropic" or any other word; may be empty
  std::vector<UpstreamMember> members;   // in the order in which they are tried

  friend bool operator==(const UpstreamGroup&, const UpstreamGroup&) = default;
};

struct RetryOptions {
  // How often one member is asked again, after no connection or a 429 or 503 that says when.
  std::uint32_t max_retries = 2;
  // From a request's first attempt to the start of its last.
  std::int64_t deadline_ms = 150'000;
  // A provider that says Retry-After: longer than this is not waited for.
  std::int64_t max_wait_ms = 5'000;
  std::int64_t min_backoff_ms = 50;
  std::int64_t max_backoff_ms = 2'000;

  // So many answers of 500 and above in a row, or one attempt without any answer, and a member is
  // passed over for open_ms; then one request tries it.
  std::uint32_t max_errors = 5;
  std::int64_t open_ms = 10'000;

  // kInvalidArgument names the field.
  [[nodiscard]] Status validate() const;
};

}  // namespace llm_edge_cache::proxy
