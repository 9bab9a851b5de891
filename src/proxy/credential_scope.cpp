#include "proxy/credential_scope.hpp"

#include <openssl/crypto.h>

#include <array>
#include <cstdint>
#include <limits>
#include <utility>

#include "base/sha256.hpp"

namespace llm_edge_cache::proxy {
namespace {

// Where credentials have the number of values of their first field: no request has so many.
constexpr auto kTenantScope = std::numeric_limits<std::uint64_t>::max();
constexpr auto kHeaderScope = kTenantScope - 1;

void append_number(std::string& out, std::uint64_t number) {
  std::array<char, 8> bytes;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<char>((number >> (8 * i)) & 0xFFU);
  }
  out.append(bytes.data(), bytes.size());
}

}  // namespace

void append_delimited(std::string& out, std::string_view text) {
  append_number(out, text.size());
  out += text;
}

CredentialScope::CredentialScope(const ProxyOptions& options)
    : mode_(options.scope),
      scope_header_(options.scope_header),
      secret_(options.scope_secret),
      credential_headers_(options.credential_headers) {}

KeyDigest CredentialScope::scope_of(const http::Headers& headers) const {
  if (mode_ == ScopeMode::kShared) {
    return {};
  }
  std::string credentials;
  append_credentials(credentials, headers);
  return digest_of(std::move(credentials));
}

KeyDigest CredentialScope::credentials_within_scope(const http::Headers& headers) const {
  return mode_ == ScopeMode::kCredential ? KeyDigest{} : digest_of_all(headers);
}

KeyDigest CredentialScope::digest_of_all(const http::Headers& headers) const {
  std::string credentials;
  append_all(credentials, headers);
  return digest_of(std::move(credentials));
}

KeyDigest CredentialScope::digest_of(std::string credentials) const {
  const auto digest = hmac_sha256(secret_, credentials);
  OPENSSL_cleanse(credentials.data(), credentials.size());
  return digest;
}

KeyDigest CredentialScope::scope_of_tenant(std::string_view space) const {
  std::string text;
  append_number(text, kTenantScope);
  append_delimited(text, space);
  return hmac_sha256(secret_, text);
}

void CredentialScope::append_credentials(std::string& out, const http::Headers& headers) const {
  if (mode_ == ScopeMode::kHeader && headers.contains(scope_header_)) {
    append_number(out, kHeaderScope);
    append_number(out, headers.count(scope_header_));
    headers.for_each(scope_header_,
                     [&out](std::string_view value) { append_delimited(out, value); });
  } else {
    append_all(out, headers);
  }
}

void CredentialScope::append_all(std::string& out, const http::Headers& headers) const {
  for (const auto& name : credential_headers_) {
    if (headers.contains(name) && headers.has_token("connection", name)) {
      append_number(out, 0);  // it does not go upstream: nobody vouches for it
      continue;
    }
    append_number(out, headers.count(name));
    headers.for_each(name, [&out](std::string_view value) { append_delimited(out, value); });
  }
}

}  // namespace llm_edge_cache::proxy
