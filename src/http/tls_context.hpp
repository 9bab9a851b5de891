// OpenSSL contexts from our options.
#pragma once

#include <boost/asio/ssl/context.hpp>
#include <memory>

#include "http/tls_options.hpp"
#include "llm_edge_cache/result.hpp"

namespace llm_edge_cache::http {

using TlsContextPtr = std::shared_ptr<boost::asio::ssl::context>;

// kInvalidArgument names the file that cannot be used.
[[nodiscard]] Result<TlsContextPtr> make_server_context(const TlsServerOptions& options);
[[nodiscard]] Result<TlsContextPtr> make_client_context(const TlsClientOptions& options);

}  // namespace llm_edge_cache::http
