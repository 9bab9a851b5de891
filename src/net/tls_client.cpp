#include "net/tls_client.hpp"

#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <boost/asio/ip/address.hpp>
#include <boost/system/error_code.hpp>

namespace llm_edge_cache::net {
namespace {

namespace ssl = boost::asio::ssl;
using ErrorInfo = boost::system::error_code;

Error cannot_use(const std::string& what, const std::string& file, const ErrorInfo& error) {
  return {ErrorCode::kInvalidArgument,
          what + " file '" + file + "' cannot be used: " + error.message()};
}

Status trust_authorities(ssl::context& context, const TlsClientOptions& options) {
  ErrorInfo error;
  if (!options.ca_file.empty()) {
    context.load_verify_file(options.ca_file, error);
    if (error) return cannot_use("authority", options.ca_file, error);
  } else if (options.verify_peer) {
    context.set_default_verify_paths(error);
    if (error) {
      return Error{ErrorCode::kInvalidArgument,
                   "the system's certificate authorities cannot be read: " + error.message()};
    }
  }
  return {};
}

// An encrypted key is an error. OpenSSL's own way is to ask whoever sits at the terminal.
std::string no_password(std::size_t, ssl::context::password_purpose) {
  return {};
}

Status show_certificate(ssl::context& context, const TlsClientOptions& options) {
  if (options.certificate_file.empty() && options.key_file.empty()) return {};
  if (options.certificate_file.empty() || options.key_file.empty()) {
    return Error{ErrorCode::kInvalidArgument, "a certificate and its key go together"};
  }
  ErrorInfo error;
  context.set_password_callback(no_password, error);
  context.use_certificate_chain_file(options.certificate_file, error);
  if (error) return cannot_use("certificate", options.certificate_file, error);
  context.use_private_key_file(options.key_file, ssl::context::pem, error);
  if (error) return cannot_use("key", options.key_file, error);
  return {};
}

// OpenSSL takes an empty name for none, and one with a leading dot for every name below it: either
// would let in more than the host.
bool expect_name(X509_VERIFY_PARAM* parameters, const std::string& host) {
  return !host.empty() && host.front() != '.' &&
         X509_VERIFY_PARAM_set1_host(parameters, host.data(), host.size()) == 1;
}

// By its bytes: OpenSSL does not read the interface in "fe80::1%eth0", and a certificate has none.
bool expect_address(X509_VERIFY_PARAM* parameters, const boost::asio::ip::address& address) {
  const auto expect = [parameters](const auto& bytes) {
    return X509_VERIFY_PARAM_set1_ip(parameters, bytes.data(), bytes.size()) == 1;
  };
  return address.is_v4() ? expect(address.to_v4().to_bytes()) : expect(address.to_v6().to_bytes());
}

}  // namespace

Result<TlsContextPtr> make_tls_client_context(const TlsClientOptions& options) {
  auto context = std::make_shared<ssl::context>(ssl::context::tls_client);
  SSL_CTX_set_min_proto_version(context->native_handle(), TLS1_2_VERSION);
  if (Status status = trust_authorities(*context, options); !status) return status.error();
  if (Status status = show_certificate(*context, options); !status) return status.error();
  return context;
}

Status prepare_tls_client(SSL* connection, const std::string& host, bool verify_peer) {
  ErrorInfo not_address;
  const auto address = boost::asio::ip::make_address(host, not_address);
  if (not_address) SSL_set_tlsext_host_name(connection, host.c_str());
  if (!verify_peer) {
    SSL_set_verify(connection, SSL_VERIFY_NONE, nullptr);
    return {};
  }
  SSL_set_verify(connection, SSL_VERIFY_PEER, nullptr);
  X509_VERIFY_PARAM* const parameters = SSL_get0_param(connection);
  X509_VERIFY_PARAM_set_hostflags(parameters, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  if (not_address ? expect_name(parameters, host) : expect_address(parameters, address)) return {};
  return Error{ErrorCode::kInvalidArgument,
               "no certificate can be held to the host '" + host + "'"};
}

std::string tls_verify_failure(const SSL* connection) {
  const long result = SSL_get_verify_result(connection);
  return result == X509_V_OK ? std::string() : X509_verify_cert_error_string(result);
}

}  // namespace llm_edge_cache::net
