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

Status show_certificate(ssl::context& context, const TlsClientOptions& options) {
  if (options.certificate_file.empty() && options.key_file.empty()) return {};
  if (options.certificate_file.empty() || options.key_file.empty()) {
    return Error{ErrorCode::kInvalidArgument, "a certificate and its key go together"};
  }
  ErrorInfo error;
  context.use_certificate_chain_file(options.certificate_file, error);
  if (error) return cannot_use("certificate", options.certificate_file, error);
  context.use_private_key_file(options.key_file, ssl::context::pem, error);
  if (error) return cannot_use("key", options.key_file, error);
  return {};
}

}  // namespace

Result<TlsContextPtr> make_tls_client_context(const TlsClientOptions& options) {
  auto context = std::make_shared<ssl::context>(ssl::context::tls_client);
  SSL_CTX_set_min_proto_version(context->native_handle(), TLS1_2_VERSION);
  if (Status status = trust_authorities(*context, options); !status) return status.error();
  if (Status status = show_certificate(*context, options); !status) return status.error();
  return context;
}

void prepare_tls_client(SSL* connection, const std::string& host, bool verify_peer) {
  ErrorInfo not_address;
  static_cast<void>(boost::asio::ip::make_address(host, not_address));
  if (not_address) SSL_set_tlsext_host_name(connection, host.c_str());
  if (!verify_peer) return SSL_set_verify(connection, SSL_VERIFY_NONE, nullptr);
  SSL_set_verify(connection, SSL_VERIFY_PEER, nullptr);
  X509_VERIFY_PARAM* const parameters = SSL_get0_param(connection);
  X509_VERIFY_PARAM_set_hostflags(parameters, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  if (not_address) {
    X509_VERIFY_PARAM_set1_host(parameters, host.c_str(), host.size());
  } else {
    X509_VERIFY_PARAM_set1_ip_asc(parameters, host.c_str());
  }
}

std::string tls_verify_failure(const SSL* connection) {
  const long result = SSL_get_verify_result(connection);
  return result == X509_V_OK ? std::string() : X509_verify_cert_error_string(result);
}

}  // namespace llm_edge_cache::net
