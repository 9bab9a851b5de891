// The proxy's own errors. Codes are a contract: clients and alerts match on them.
//
//   400  invalid_cache_directive     an x-llm-cache-* field that cannot be used
//   400  too_many_credentials        more than eight, where credentials have limits
//   401  unknown_key                 no gateway key, or none that one tenant has
//   403  origin_not_allowed          a page in a browser asks, and is not one that may
//   404  no_upstream                 no upstream is configured for the path and the model
//   429  tenant_rate_limit           the tenant's rate is used up; Retry-After says for how long
//   429  tenant_concurrency_limit    as many of the tenant's requests are under way as may be
//   429  credential_rate_limit       likewise of a credential that is no tenant's
//   429  credential_concurrency_limit
//   502  upstream_connect_failed     name, TCP or TLS
//   502  upstream_closed             the upstream closed the connection without an answer
//   502  upstream_invalid_response   what came back is not HTTP
//   502  upstream_truncated          the answer broke off before the client got any of it
//   503  upstream_overloaded         all connections to the upstream are busy
//   503  shutting_down               the proxy is about to stop
//   504  upstream_connect_timeout
//   504  upstream_timeout            connected, but no answer within the deadline
//   504  not_cached                  only-if-cached, and nothing fit
#pragma once

#include <chrono>

#include "http/client.hpp"
#include "http/exchange.hpp"
#include "http/server.hpp"
#include "proxy/dialects/dialects.hpp"
#include "proxy/proxy_metrics.hpp"

namespace llm_edge_cache::proxy {

[[nodiscard]] ProxyError to_proxy_error(const http::ClientError& error);
[[nodiscard]] UpstreamResult to_upstream_result(const http::ClientError& error);

[[nodiscard]] ProxyError truncated_error();
[[nodiscard]] ProxyError shutting_down_error();
[[nodiscard]] ProxyError not_cached_error();
[[nodiscard]] ProxyError unknown_key_error();
[[nodiscard]] ProxyError rate_limited_error(std::chrono::nanoseconds wait);
[[nodiscard]] ProxyError too_many_concurrent_error();
[[nodiscard]] ProxyError credential_rate_error(std::chrono::nanoseconds wait);
[[nodiscard]] ProxyError credential_concurrency_error();
[[nodiscard]] ProxyError too_many_credentials_error();
[[nodiscard]] ProxyError origin_not_allowed_error();
[[nodiscard]] ProxyError no_upstream_error();
[[nodiscard]] ProxyError directive_error(const Error& error);

// Answers with the error in the words of the dialect. cache_status: empty for none.
void respond_error(http::Exchange& exchange, const Dialect& dialect, const ProxyError& error,
                   std::string_view cache_status);

// For ServerOptions::format_error: the server's own errors (413, 408, ..) as JSON, in the dialect
// that is spoken at the request's path. The dialects must outlive the server.
[[nodiscard]] http::ErrorFormatter make_error_formatter(const Dialects& dialects);

}  // namespace llm_edge_cache::proxy
