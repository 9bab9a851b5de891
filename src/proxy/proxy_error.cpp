#include "proxy/proxy_error.hpp"

#include <algorithm>
#include <string>

#include "proxy/cache_status.hpp"

namespace llm_edge_cache::proxy {
namespace {

ProxyError connect_error(ErrorCode code) {
  switch (code) {
    case ErrorCode::kDeadlineExceeded:
      return {504, "upstream_connect_timeout",
              "The upstream did not accept a connection within the deadline."};
    case ErrorCode::kOverloaded:
      return {503, "upstream_overloaded", "All connections to the upstream are busy."};
    default:
      return {502, "upstream_connect_failed", "The upstream could not be reached."};
  }
}

ProxyError answer_error(ErrorCode code) {
  switch (code) {
    case ErrorCode::kDeadlineExceeded:
      return {504, "upstream_timeout", "The upstream did not answer within the deadline."};
    case ErrorCode::kProtocol:
    case ErrorCode::kTooLarge:
      return {502, "upstream_invalid_response", "The upstream's response is not valid HTTP."};
    default:
      return {502, "upstream_closed", "The upstream closed the connection without an answer."};
  }
}

std::string_view server_error_code(std::uint16_t status) {
  switch (status) {
    case 408:
      return "request_timeout";
    case 413:
      return "request_too_large";
    case 414:
      return "target_too_long";
    case 431:
      return "headers_too_large";
    case 501:
      return "not_implemented";
    case 503:
      return "overloaded";
    case 505:
      return "http_version";
    default:
      return status >= 500 ? "internal" : "invalid_http_request";
  }
}

// For Retry-After: at least one.
std::uint64_t whole_seconds(std::chrono::nanoseconds wait) {
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(wait).count();
  return static_cast<std::uint64_t>(std::max<std::int64_t>(1, seconds));
}

}  // namespace

ProxyError to_proxy_error(const http::ClientError& error) {
  switch (error.at) {
    case http::FailedAt::kConnect:
      return connect_error(error.error.code);
    case http::FailedAt::kFirstByte:
    case http::FailedAt::kHead:
      return answer_error(error.error.code);
    case http::FailedAt::kBody:
      return truncated_error();
  }
  return truncated_error();
}

UpstreamResult to_upstream_result(const http::ClientError& error) {
  if (error.error.code == ErrorCode::kDeadlineExceeded) {
    return UpstreamResult::kTimeout;
  }
  return error.at == http::FailedAt::kConnect ? UpstreamResult::kConnectFailed
                                              : UpstreamResult::kBroken;
}

ProxyError truncated_error() {
  return {502, "upstream_truncated", "The upstream's answer broke off."};
}

ProxyError shutting_down_error() {
  return {503, "shutting_down", "The proxy is shutting down."};
}

ProxyError not_cached_error() {
  return {504, "not_cached", "Only a cached answer was asked for, and there is none."};
}

ProxyError unknown_key_error() {
  return {401, "unknown_key", "The request has no gateway key that is known here."};
}

ProxyError rate_limited_error(std::chrono::nanoseconds wait) {
  return {429, "tenant_rate_limit", "The tenant's rate of requests is used up.",
          whole_seconds(wait)};
}

ProxyError too_many_concurrent_error() {
  return {429, "tenant_concurrency_limit",
          "As many requests of the tenant are under way as may be at once.", 1};
}

ProxyError credential_rate_error(std::chrono::nanoseconds wait) {
  return {429, "credential_rate_limit", "The credential's rate of requests is used up.",
          whole_seconds(wait)};
}

ProxyError credential_concurrency_error() {
  return {429, "credential_concurrency_limit",
          "As many requests with the credential are under way as may be at once.", 1};
}

ProxyError too_many_credentials_error() {
  return {400, "too_many_credentials", "The request has more credentials than are counted for."};
}

ProxyError origin_not_allowed_error() {
  return {403, "origin_not_allowed", "Pages of this origin may not use the proxy."};
}

ProxyError no_upstream_error() {
  return {404, "no_upstream", "No upstream is configured for this path and model."};
}

ProxyError directive_error(const Error& error) {
  return {400, "invalid_cache_directive", error.message + "."};
}

void respond_error(http::Exchange& exchange, const Dialect& dialect, const ProxyError& error,
                   std::string_view cache_status) {
  http::ResponseHead head;
  head.status = static_cast<std::uint16_t>(error.status);
  head.headers.add("Content-Type", "application/json");
  if (error.status == 401) {
    head.headers.add("WWW-Authenticate", "Bearer");  // RFC 9110, 15.5.2
  }
  if (error.retry_after_s > 0) {
    head.headers.add("Retry-After", std::to_string(error.retry_after_s));
  }
  if (!cache_status.empty()) {
    add_cache_status(head.headers, cache_status);
  }
  exchange.respond(head, http::SharedBytes(dialect.error_body(error)));
}

http::ErrorFormatter make_error_formatter(const Dialects& dialects) {
  return [&dialects](std::uint16_t status, std::string_view detail, const http::RequestHead* head) {
    const ProxyError error{status, server_error_code(status), std::string(detail)};
    const auto& dialect = dialects.spoken_at(head == nullptr ? std::string_view() : head->path());
    return http::ErrorBody{"application/json", dialect.error_body(error)};
  };
}

}  // namespace llm_edge_cache::proxy
