#include "certificates.hpp"

#include <stdexcept>
#include <utility>
#include <vector>

#include "tests/support/child_process.hpp"

namespace llm_edge_cache::http {
namespace {

void openssl(const std::vector<std::string>& arguments, const std::filesystem::path& folder) {
  std::vector<std::string> argv{"openssl"};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  test::ChildProcess child({.argv = argv, .directory = folder});
  if (child.wait() != 0) throw std::runtime_error("openssl: " + child.error_output());
}

}  // namespace

CertificateAuthority::CertificateAuthority(std::filesystem::path folder)
    : folder_(std::move(folder)) {
  openssl({"req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
           "-days", "2", "-subj", "/CN=Test authority", "-keyout", "ca.key", "-out", "ca.pem"},
          folder_);
}

TlsServerOptions CertificateAuthority::issue(const std::string& name,
                                             const std::string& subject_alt_name, int days) const {
  openssl({"req",
           "-x509",
           "-newkey",
           "ec",
           "-pkeyopt",
           "ec_paramgen_curve:P-256",
           "-nodes",
           "-days",
           std::to_string(days),
           "-subj",
           "/CN=" + name,
           "-addext",
           "subjectAltName=" + subject_alt_name,
           "-addext",
           "basicConstraints=critical,CA:FALSE",
           "-CA",
           "ca.pem",
           "-CAkey",
           "ca.key",
           "-keyout",
           name + ".key",
           "-out",
           name + ".pem"},
          folder_);
  return {.certificate_file = folder_ / (name + ".pem"), .key_file = folder_ / (name + ".key")};
}

}  // namespace llm_edge_cache::http
