#include "proxy/request_keyer.hpp"

#include <utility>

#include "base/sha256.hpp"
#include "core/canonical_json.hpp"
#include "core/parsed_json.hpp"
#include "proxy/request_traits.hpp"

namespace llm_edge_cache::proxy {
namespace {

// What Connection names does not go upstream, and so can be no part of what was asked.
template <class Visit>
void for_each_key_header(const std::vector<std::string>& names, const http::Headers& headers,
                         Visit visit) {
  for (const auto& name : names) {
    if (!headers.contains(name) || headers.has_token("connection", name)) continue;
    headers.for_each(name, [&](std::string_view value) { visit(name, value); });
  }
}

std::string_view bytes_of(const KeyDigest& digest) {
  return {reinterpret_cast<const char*>(digest.bytes.data()), digest.bytes.size()};
}

}  // namespace

RequestKeyer::RequestKeyer(const ProxyOptions& options)
    : rules_(options.default_policy(), options.rules),
      scope_(options),
      upstreams_(options.upstreams, options.upstream_url, options.credential_headers),
      key_headers_(options.key_headers),
      keyless_members_(options.keyless_members),
      memo_(options.memo_entries) {}

Surroundings RequestKeyer::surroundings_of(const http::RequestHead& head, KeySpace space) const {
  const auto scope = scope_of(head, space);
  std::string text(bytes_of(scope));
  append_delimited(text, space.name_space);
  append_delimited(text, head.target);
  for_each_key_header(key_headers_, head.headers,
                      [&text](std::string_view name, std::string_view value) {
                        append_delimited(text, name);
                        append_delimited(text, value);
                      });
  return {sha256(text), scope};
}

Result<KeyedRequest> RequestKeyer::key_of(const RequestToKey& request, KeySpace space) {
  const RawRequest raw(request.surroundings.digest, request.body);
  if (const auto known = memo_.find(raw)) {
    return *known;
  }
  auto keyed = parse(request, space);
  if (keyed.ok() && request.is_remembered && rules_.policy(keyed->rule).is_cached) {
    memo_.insert(raw, *keyed);
  }
  return keyed;
}

CacheRules::Index RequestKeyer::rule_of(const http::RequestHead& head, AnswerWish wish,
                                        JsonView body) const {
  return rules_.empty() ? rules_.none()
                        : rules_.match(read_request_traits(head.path(), wish, body));
}

std::optional<UpstreamTable::Index> RequestKeyer::upstream_of(const http::RequestHead& head,
                                                              JsonView body) const {
  return upstreams_.match(head.path(), body["model"].text());
}

std::optional<UpstreamTable::Index> RequestKeyer::upstream_of(const http::RequestHead& head,
                                                              std::string_view body) const {
  if (!upstreams_.asks_for_model(head.path())) {
    return upstream_of(head, JsonView());
  }
  const auto json = ParsedJson::parse(body);
  return upstream_of(head, json.ok() ? JsonView::of(*json) : JsonView());
}

const std::vector<std::string>& RequestKeyer::keyless_members(const Dialect& dialect) const {
  return keyless_members_.empty() ? dialect.default_keyless_members() : keyless_members_;
}

std::vector<KeyDigest> RequestKeyer::keys_of_parts(const http::RequestHead& head, KeySpace space,
                                                   const BodyInParts& body) const {
  const auto scope = scope_of(head, space);
  std::vector<KeyDigest> keys;
  keys.reserve(body.parts.size());
  for (const auto& part : body.parts) {
    KeyBuilder<ProxyField> key;
    add_surroundings(key, head, body.upstream, space.name_space, bytes_of(scope));
    key.add(ProxyField::kBody, body.common);
    key.add(ProxyField::kBodyPart, part);
    keys.push_back(std::move(key).finish());
  }
  return keys;
}

void RequestKeyer::add_surroundings(KeyBuilder<ProxyField>& key, const http::RequestHead& head,
                                    UpstreamTable::Index upstream, std::string_view name_space,
                                    std::string_view scope) const {
  key.add(ProxyField::kNamespace, name_space);
  key.add(ProxyField::kScope, scope);
  key.add(ProxyField::kUpstream, upstreams_.group(upstream).key_text);
  key.add(ProxyField::kPath, head.target);
  for_each_key_header(key_headers_, head.headers,
                      [&key](std::string_view name, std::string_view value) {
                        key.add(ProxyField::kHeaderName, name);
                        key.add(ProxyField::kHeaderValue, value);
                      });
}

KeyDigest RequestKeyer::scope_of(const http::RequestHead& head, KeySpace space) const {
  return space.tenant.empty() ? scope_.scope_of(head.headers)
                              : scope_.scope_of_tenant(space.tenant);
}

Result<KeyedRequest> RequestKeyer::parse(const RequestToKey& request, KeySpace space) const {
  const auto& head = request.head;
  const auto json = ParsedJson::parse(request.body);
  if (!json.ok()) {
    return json.error();
  }
  std::string canonical;
  canonical.reserve(request.body.size());
  const auto status = append_canonical_json(
      canonical, *json,
      {.dropped_members = keyless_members(request.dialect), .require_object = true});
  if (!status.ok()) {
    return status.error();
  }
  const auto body = JsonView::of(*json);
  const auto wish = request.dialect.wish_of(body);
  if (!wish.ok()) {
    return wish.error();
  }
  const auto upstream = upstream_of(head, body);
  if (!upstream) {
    return Error{ErrorCode::kInvalidArgument, "no upstream takes the request"};
  }
  KeyBuilder<ProxyField> key;
  add_surroundings(key, head, *upstream, space.name_space, bytes_of(request.surroundings.scope));
  key.add(ProxyField::kBody, canonical);
  return KeyedRequest{std::move(key).finish(), *wish, rule_of(head, *wish, body), *upstream};
}

}  // namespace llm_edge_cache::proxy
