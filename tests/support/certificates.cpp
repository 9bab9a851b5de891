#include "tests/support/certificates.hpp"

#include <stdexcept>
#include <vector>

#include "tests/support/child_process.hpp"

namespace llm_edge_cache::test {
namespace {

void openssl(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "openssl");
  ChildProcess child({.argv = std::move(arguments)});
  if (child.wait() != 0) throw std::runtime_error("openssl: " + child.error_output());
}

}  // namespace

CertificateAuthority::CertificateAuthority() {
  openssl({"req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
           "-keyout", (folder_.path() / "ca.key").string(), "-out", ca_file(), "-days", "1",
           "-subj", "/CN=test authority"});
}

Certificate CertificateAuthority::issue(const std::string& name,
                                        const std::string& subject_alt_name, int days) {
  const std::string base = (folder_.path() / name).string();
  const Certificate issued{base + ".pem", base + ".key"};
  openssl({"req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
           issued.key_file, "-out", base + ".csr", "-subj", "/CN=" + name, "-addext",
           "subjectAltName=" + subject_alt_name});
  openssl({"x509", "-req", "-in", base + ".csr", "-CA", ca_file(), "-CAkey",
           (folder_.path() / "ca.key").string(), "-CAcreateserial", "-copy_extensions", "copy",
           "-days", std::to_string(days), "-out", issued.certificate_file});
  return issued;
}

}  // namespace llm_edge_cache::test
