#include "http/tls_context.hpp"

#include <openssl/ssl.h>

#include <boost/system/error_code.hpp>
#include <string>

namespace llm_edge_cache::http {
namespace {

namespace ssl = boost::asio::ssl;

Error cannot_use(const std::string& what, const std::string& file,
                 const boost::system::error_code& error) {
  return {ErrorCode::kInvalidArgument,
          what + " file '" + file + "' cannot be used: " + error.message()};
}

TlsContextPtr make_context(ssl::context::method method) {
  auto context = std::make_shared<ssl::context>(method);
  SSL_CTX_set_min_proto_version(context->native_handle(), TLS1_2_VERSION);
  // Frees the record buffers of idle connections.
  SSL_CTX_set_mode(context->native_handle(), SSL_MODE_RELEASE_BUFFERS);
  return context;
}

// Picks http/1.1 from what the client offers; without it goes on as if nothing was offered.
int select_alpn(SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* in,
                unsigned int in_size, void*) {
  static constexpr unsigned char kProtocols[] = "\x08http/1.1";
  unsigned char* selected = nullptr;
  const int result =
      SSL_select_next_proto(&selected, out_size, kProtocols, sizeof kProtocols - 1, in, in_size);
  if (result != OPENSSL_NPN_NEGOTIATED) return SSL_TLSEXT_ERR_NOACK;
  *out = selected;
  return SSL_TLSEXT_ERR_OK;
}

}  // namespace

Result<TlsContextPtr> make_server_context(const TlsServerOptions& options) {
  TlsContextPtr context = make_context(ssl::context::tls_server);
  boost::system::error_code error;
  context->use_certificate_chain_file(options.certificate_file, error);
  if (error) return cannot_use("certificate", options.certificate_file, error);
  context->use_private_key_file(options.key_file, ssl::context::pem, error);
  if (error) return cannot_use("key", options.key_file, error);
  if (SSL_CTX_check_private_key(context->native_handle()) != 1) {
    return Error{ErrorCode::kInvalidArgument, "key file '" + options.key_file +
                                                  "' does not belong to certificate file '" +
                                                  options.certificate_file + "'"};
  }
  SSL_CTX_set_alpn_select_cb(context->native_handle(), select_alpn, nullptr);
  return context;
}

Result<TlsContextPtr> make_client_context(const TlsClientOptions& options) {
  TlsContextPtr context = make_context(ssl::context::tls_client);
  boost::system::error_code error;
  if (options.verify_peer) {
    context->set_default_verify_paths(error);
    if (error) {
      return Error{ErrorCode::kInvalidArgument,
                   "the system's certificate authorities cannot be read: " + error.message()};
    }
  }
  if (!options.extra_ca_file.empty()) {
    context->load_verify_file(options.extra_ca_file, error);
    if (error) return cannot_use("authority", options.extra_ca_file, error);
  }
  return context;
}

}  // namespace llm_edge_cache::http
