// An authority for servers that verify their clients, and the configuration of such a client.
#pragma once

#include <string>
#include <utility>

#include "tests/support/certificates.hpp"
#include "tests/support/redis_server.hpp"
#include "tests/unit/tiers/redis/configs.hpp"

namespace llm_edge_cache::redis {

class Authority {
 public:
  [[nodiscard]] test::Certificate issue(const std::string& name, const std::string& for_whom) {
    return authority_.issue(name, for_whom);
  }
  // One certificate for all servers.
  [[nodiscard]] test::MutualTls servers(const std::string& for_whom = "IP:127.0.0.1") {
    return {.ca_file = authority_.ca_file(), .certificates = {issue("server", for_whom)}};
  }
  // Trusts this authority, and shows a certificate that it has issued.
  [[nodiscard]] L2Config trusted(L2Config config) {
    const test::Certificate client = issue("client", "DNS:client");
    config.tls_ca_file = authority_.ca_file();
    config.tls_cert_file = client.certificate_file;
    config.tls_key_file = client.key_file;
    return config;
  }

 private:
  test::CertificateAuthority authority_;
};

}  // namespace llm_edge_cache::redis
