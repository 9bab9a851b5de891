// TLS as a client speaks it, for every folder that connects to something: OpenSSL does the work,
// TLS 1.2 is the floor, and a certificate is verified unless the options say otherwise.
#pragma once

#include <openssl/types.h>

#include <boost/asio/ssl/context.hpp>
#include <memory>
#include <string>

#include "llm_edge_cache/result.hpp"

namespace llm_edge_cache::net {

using TlsContextPtr = std::shared_ptr<boost::asio::ssl::context>;

struct TlsClientOptions {
  std::string ca_file{};           // PEM; empty: the system's authorities
  std::string certificate_file{};  // PEM, with its chain; empty: the client shows none
  std::string key_file{};          // PEM, not encrypted; goes with certificate_file
  bool verify_peer = true;         // false accepts any certificate: tests and lab networks only
};

// kInvalidArgument names the file that cannot be used.
[[nodiscard]] Result<TlsContextPtr> make_tls_client_context(const TlsClientOptions& options);

// Before the handshake: the name to ask for (SNI; none for an address, RFC 6066, 3), and whose
// certificate the peer must show. kInvalidArgument where the host is none that a certificate can be
// held to: there must be no handshake then, which would take anybody's.
[[nodiscard]] Status prepare_tls_client(SSL* connection, const std::string& host, bool verify_peer);

// Why the peer's certificate was refused; empty where that is not what failed.
[[nodiscard]] std::string tls_verify_failure(const SSL* connection);

}  // namespace llm_edge_cache::net
