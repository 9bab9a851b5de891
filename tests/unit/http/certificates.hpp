// Certificates made by openssl for one test.
#pragma once

#include <filesystem>
#include <string>

#include "http/tls_options.hpp"

namespace llm_edge_cache::http {

// An authority of its own, in a folder that the caller keeps.
class CertificateAuthority {
 public:
  // Throws std::runtime_error with openssl's words when it fails.
  explicit CertificateAuthority(std::filesystem::path folder);

  [[nodiscard]] std::string ca_file() const { return folder_ / "ca.pem"; }
  // subject_alt_name as in "DNS:localhost,IP:127.0.0.1".
  [[nodiscard]] TlsServerOptions issue(const std::string& name, const std::string& subject_alt_name,
                                       int days = 1) const;

 private:
  std::filesystem::path folder_;
};

}  // namespace llm_edge_cache::http
