#include "key/request_key.hpp"

#include <fmt/format.h>

#include <cstdlib>

#include "llm_edge_cache/key.hpp"
#include "proxy/dialects/dialects.hpp"
#include "proxy/embedding_batch.hpp"
#include "proxy/request_keyer.hpp"
#include "serve/scope_secret.hpp"

namespace llm_edge_cache::app {

namespace {

Error invalid(std::string message) {
  return {ErrorCode::kInvalidArgument, std::move(message)};
}

Result<std::string> secret_of(const ProxiedRequest& request) {
  if (request.scope == "shared") return std::string();
  ServeConfig config;
  config.scope_secret_file = request.secret_file;
  const char* secret = std::getenv("LLM_EDGE_CACHE_SCOPE_SECRET");
  if (secret != nullptr && request.secret_file.empty()) config.scope_secret = secret;
  auto found = find_scope_secret(config, default_secret_file());
  if (found && found->empty()) {
    return invalid(
        "the key depends on the secret of scopes: give --scope-secret-file or "
        "LLM_EDGE_CACHE_SCOPE_SECRET");
  }
  return found;
}

// One line for each element, equal ones once.
Result<std::string> embedding_keys(const proxy::RequestKeyer& keyer, const proxy::Dialect& dialect,
                                   const http::RequestHead& head, const ProxiedRequest& request) {
  const auto batch =
      proxy::EmbeddingBatch::read(keyer, dialect, head, request.name_space, request.body);
  if (!batch) return batch.error();
  std::string keys;
  for (const auto slot : batch->missing()) {
    keys += (keys.empty() ? "" : "\n") + to_hex(batch->key_of(slot));
  }
  return keys;
}

}  // namespace

Result<std::string> library_key(const LibraryRequest& request) {
  CacheableRequest cacheable(request.model, request.prompt);
  if (request.temperature) cacheable.with_temperature(*request.temperature);
  if (request.max_tokens) cacheable.with_max_tokens(*request.max_tokens);
  if (request.name_space) cacheable.with_namespace(*request.name_space);
  for (const auto& parameter : request.parameters) {
    const auto equals = parameter.find('=');
    if (equals == std::string::npos || equals == 0) {
      return invalid(fmt::format("--parameter: '{}': expected NAME=JSON", parameter));
    }
    cacheable.with_parameter(parameter.substr(0, equals), JsonText{parameter.substr(equals + 1)});
  }
  return generate_cache_key(cacheable);
}

Result<http::RequestHead> client_head(const std::string& target,
                                      const std::vector<std::string>& headers) {
  http::RequestHead head;
  head.method = "POST";
  head.target = target;
  for (const auto& header : headers) {
    const auto colon = header.find(':');
    if (colon == std::string::npos || colon == 0) {
      return invalid("--header: expected NAME: VALUE");
    }
    const auto value = header.find_first_not_of(" \t", colon + 1);
    head.headers.add(
        std::string_view(header).substr(0, colon),
        value == std::string::npos ? std::string_view() : std::string_view(header).substr(value));
  }
  return head;
}

Result<std::string> proxied_key(const ProxiedRequest& request) {
  auto head = client_head(request.target, request.headers);
  if (!head) return head.error();
  auto secret = secret_of(request);
  if (!secret) return secret.error();
  proxy::ProxyOptions options;
  options.upstream_url = request.upstream;
  options.scope_secret = *secret;
  options.scope =
      request.scope == "shared" ? proxy::ScopeMode::kShared : proxy::ScopeMode::kCredential;
  if (auto status = options.validate(); !status) return status.error();
  const proxy::Dialects dialects;
  const auto* dialect = dialects.find(head->method, head->path());
  if (dialect == nullptr) return invalid("--target: nothing of that path is cached");
  proxy::RequestKeyer keyer(options);
  if (dialect == &dialects.embeddings()) {
    return embedding_keys(keyer, *dialect, *head, request);
  }
  const auto keyed = keyer.key_of(*dialect, *head, request.name_space, request.body);
  if (!keyed) return keyed.error();
  return to_hex(keyed->key);
}

}  // namespace llm_edge_cache::app
