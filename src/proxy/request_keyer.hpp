// The key of a proxied request (docs/format.md).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "http/message.hpp"
#include "llm_edge_cache/result.hpp"
#include "proxy/credential_scope.hpp"
#include "proxy/dialect.hpp"
#include "proxy/key_memo.hpp"
#include "proxy/proxy_options.hpp"

namespace llm_edge_cache::proxy {

// In the key: namespace, scope, upstream, target with its query, the values of the headers that
// change an answer, and the canonical body without its keyless members.
// Thread-safe.
class RequestKeyer {
 public:
  // The dialect must outlive the keyer.
  RequestKeyer(const ProxyOptions& options, const Dialect& dialect);

  // kInvalidArgument where the request cannot be keyed without doubt: a body that is no JSON
  // object, or names a member twice. Such a request is for the provider to judge.
  [[nodiscard]] Result<KeyedRequest> key_of(const http::RequestHead& head,
                                            std::string_view name_space, std::string_view body);

 private:
  [[nodiscard]] KeyDigest raw_digest(const http::RequestHead& head, std::string_view name_space,
                                     std::string_view body) const;
  [[nodiscard]] Result<KeyedRequest> parse(const http::RequestHead& head,
                                           std::string_view name_space,
                                           std::string_view body) const;

  const Dialect& dialect_;
  const CredentialScope scope_;
  const std::string upstream_;
  const std::vector<std::string> key_headers_;
  const std::vector<std::string> keyless_members_;
  KeyMemo memo_;
};

}  // namespace llm_edge_cache::proxy
