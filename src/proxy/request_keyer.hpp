// The key of a proxied request (docs/format.md).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/key_builder.hpp"
#include "http/message.hpp"
#include "llm_edge_cache/result.hpp"
#include "proxy/cache_rules.hpp"
#include "proxy/credential_scope.hpp"
#include "proxy/dialects/dialect.hpp"
#include "proxy/dialects/json_view.hpp"
#include "proxy/key_memo.hpp"
#include "proxy/proxy_options.hpp"
#include "proxy/request_directives.hpp"
#include "proxy/upstream_table.hpp"

namespace llm_edge_cache::proxy {

// A body of which parts are cached each for itself.
struct BodyInParts {
  std::string common;              // canonical JSON without the parts
  std::vector<std::string> parts;  // JSON, one text for equal values
  UpstreamTable::Index upstream = 0;
};

// Where a request's answers are kept apart.
struct KeySpace {
  // The client's namespace alone.
  KeySpace(std::string_view name) : name_space(name) {}
  KeySpace(const std::string& name) : name_space(name) {}
  KeySpace(const char* name) : name_space(name) {}
  explicit KeySpace(const RequestDirectives& directives)
      : name_space(directives.name_space), tenant(directives.tenant_space) {}

  std::string_view name_space;
  std::string_view tenant = {};  // its namespace, in place of all credentials; empty: no tenant's
};

// What a key follows from beside the body.
struct Surroundings {
  KeyDigest digest;  // equal where everything is
  KeyDigest scope;   // of the credentials or the tenant

  friend bool operator==(const Surroundings&, const Surroundings&) = default;
};

struct RequestToKey {
  const Dialect& dialect;  // the one of the path
  const http::RequestHead& head;
  const Surroundings& surroundings;  // RequestKeyer::surroundings_of() the head and its key space
  std::string_view body;
  bool is_remembered = true;  // false: nothing of the request is kept
};

// In the key: namespace, scope, upstream, target with its query, the values of the headers that
// change an answer, and the canonical body without its keyless members.
// Thread-safe.
class RequestKeyer {
 public:
  explicit RequestKeyer(const ProxyOptions& options);

  // Equal for heads whose requests have equal keys where their bodies are equal, and for no others.
  [[nodiscard]] Surroundings surroundings_of(const http::RequestHead& head, KeySpace space) const;

  // kInvalidArgument where the request cannot be keyed without doubt: a body that is no JSON
  // object, or names a member twice, or what the dialect leaves to the provider.
  [[nodiscard]] Result<KeyedRequest> key_of(const RequestToKey& request, KeySpace space);
  // The same where the surroundings are not known yet.
  [[nodiscard]] Result<KeyedRequest> key_of(const Dialect& dialect, const http::RequestHead& head,
                                            KeySpace space, std::string_view body) {
    return key_of({dialect, head, surroundings_of(head, space), body}, space);
  }
  // Whether the request is kept, so that its body need not be parsed again. One that a rule says is
  // never cached is not.
  [[nodiscard]] bool remembers(const RequestToKey& request) const {
    return memo_.find({request.surroundings.digest, request.body}).has_value();
  }

  [[nodiscard]] const CacheRules& rules() const { return rules_; }
  // The rule that decides about a request; rules().none() for none.
  [[nodiscard]] CacheRules::Index rule_of(const http::RequestHead& head, AnswerWish wish,
                                          JsonView body) const;

  // CredentialScope's, for requests that are no tenant's.
  [[nodiscard]] KeyDigest credentials_within_scope(const http::Headers& headers) const {
    return scope_.credentials_within_scope(headers);
  }

  [[nodiscard]] const UpstreamTable& upstreams() const { return upstreams_; }
  // The group that a request goes to.
  [[nodiscard]] std::optional<UpstreamTable::Index> upstream_of(const http::RequestHead& head,
                                                                JsonView body) const;
  // The same for a body of any kind, or none where it is not known.
  [[nodiscard]] std::optional<UpstreamTable::Index> upstream_of(const http::RequestHead& head,
                                                                std::string_view body) const;

  // The members that are dropped from the body of the dialect's requests.
  [[nodiscard]] const std::vector<std::string>& keyless_members(const Dialect& dialect) const;

  // A key for each part, in order.
  [[nodiscard]] std::vector<KeyDigest> keys_of_parts(const http::RequestHead& head, KeySpace space,
                                                     const BodyInParts& body) const;

 private:
  [[nodiscard]] KeyDigest scope_of(const http::RequestHead& head, KeySpace space) const;
  [[nodiscard]] Result<KeyedRequest> parse(const RequestToKey& request, KeySpace space) const;

  void add_surroundings(KeyBuilder<ProxyField>& key, const http::RequestHead& head,
                        UpstreamTable::Index upstream, std::string_view name_space,
                        std::string_view scope) const;

  const CacheRules rules_;
  const CredentialScope scope_;
  const UpstreamTable upstreams_;
  const std::vector<std::string> key_headers_;
  const std::vector<std::string> keyless_members_;  // empty: each dialect's own
  KeyMemo memo_;
};

}  // namespace llm_edge_cache::proxy
