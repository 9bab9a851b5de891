#include "key/request_key.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <string_view>
#include <utility>

#include "explain/explanation.hpp"
#include "llm_edge_cache/key.hpp"

namespace llm_edge_cache::app {

namespace {

Error invalid(std::string message) {
  return {ErrorCode::kInvalidArgument, std::move(message)};
}

// Around a field's value they are no part of it (RFC 9110, 5.5).
std::string_view without_blanks(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
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
    head.headers.add(std::string_view(header).substr(0, colon),
                     without_blanks(std::string_view(header).substr(colon + 1)));
  }
  return head;
}

Result<std::string> proxied_key(const ServeConfig& config, const ProxiedRequest& request) {
  auto head = client_head(request.target, request.headers);
  if (!head) return head.error();
  if (!request.name_space.empty()) {
    head->headers.add("x-llm-cache-namespace", request.name_space);
  }
  const auto secret = known_scope_secret(config);
  if (!secret) return secret.error();
  const auto explanation = explain(config, *secret, *head, request.body);
  if (!explanation.keys.empty()) return fmt::format("{}", fmt::join(explanation.keys, "\n"));
  if (explanation.refusal) return invalid("no key: " + explanation.refusal->message);
  return invalid("no key: " +
                 (explanation.why_no_key.empty() ? explanation.objection : explanation.why_no_key));
}

}  // namespace llm_edge_cache::app
