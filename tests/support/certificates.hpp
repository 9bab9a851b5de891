// Certificates made by openssl for one test.
#pragma once

#include <string>

#include "tests/support/temp_dir.hpp"

namespace llm_edge_cache::test {

struct Certificate {
  std::string certificate_file;
  std::string key_file;
};

// An authority of its own and what it has issued, in a folder that goes with it.
class CertificateAuthority {
 public:
  // Throws std::runtime_error with openssl's words when it fails.
  CertificateAuthority();

  [[nodiscard]] std::string ca_file() const { return (folder_.path() / "ca.pem").string(); }
  // For servers and clients; subject_alt_name as in "DNS:localhost,IP:127.0.0.1". It ends in so
  // many days; with -1 it has ended yesterday.
  [[nodiscard]] Certificate issue(const std::string& name, const std::string& subject_alt_name,
                                  int days = 1);

 private:
  TempDir folder_;
};

}  // namespace llm_edge_cache::test
