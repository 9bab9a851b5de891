// Whose answers a request may see.
#pragma once

#include <string>
#include <vector>

#include "base/key_digest.hpp"
#include "http/headers.hpp"
#include "proxy/proxy_options.hpp"

namespace llm_edge_cache::proxy {

// Immutable after construction; safe from every thread.
class CredentialScope {
 public:
  explicit CredentialScope(const ProxyOptions& options);

  // HMAC-SHA-256 of the credentials under the server's secret, or of what stands in the scope's
  // header. Requests without any have a scope of their own; in shared mode all requests have the
  // same.
  [[nodiscard]] KeyDigest scope_of(const http::Headers& headers) const;
  // That of a tenant, which no credentials have, in any mode.
  [[nodiscard]] KeyDigest scope_of_tenant(std::string_view space) const;

  // Tells apart those who share a scope: zero where all who have the scope have one credential.
  [[nodiscard]] KeyDigest credentials_within_scope(const http::Headers& headers) const;

 private:
  // So that no two sets of credentials append the same bytes: name, number of values, and each
  // value with its length. Secret: hash it, never keep it.
  void append_all(std::string& out, const http::Headers& headers) const;
  // Likewise, but the scope's header alone where that is the scope.
  void append_credentials(std::string& out, const http::Headers& headers) const;
  [[nodiscard]] KeyDigest digest_of_all(const http::Headers& headers) const;
  [[nodiscard]] KeyDigest digest_of(std::string credentials) const;

  const ScopeMode mode_;
  const std::string scope_header_;
  const std::string secret_;
  const std::vector<std::string> credential_headers_;
};

// Appends text with its length before it, so that what follows cannot be taken for part of it.
void append_delimited(std::string& out, std::string_view text);

}  // namespace llm_edge_cache::proxy
