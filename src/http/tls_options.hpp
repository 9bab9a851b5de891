// TLS settings of servers and clients. OpenSSL does the work; TLS 1.2 is the floor.
#pragma once

#include <string>

namespace llm_edge_cache::http {

struct TlsServerOptions {
  std::string certificate_file{};  // PEM, with its chain
  std::string key_file{};          // PEM, not encrypted
  // PEM; only clients that show a certificate of one of these authorities may connect. Empty:
  // everybody may.
  std::string client_ca_file{};
};

struct TlsClientOptions {
  std::string extra_ca_file{};  // PEM, trusted besides the system's authorities; empty: none
  bool verify_peer = true;      // false accepts any certificate: tests and lab networks only
};

}  // namespace llm_edge_cache::http
