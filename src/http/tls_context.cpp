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

// Of TLS 1.2: forward secrecy and an AEAD, nothing else. TLS 1.3 has no other.
constexpr const char* kCiphers = "ECDHE+AESGCM:ECDHE+CHACHA20";

// An encrypted key is an error. OpenSSL's own way is to ask whoever sits at the terminal.
std::string no_password(std::size_t, ssl::context::password_purpose) {
  return {};
}

// Resumption is by tickets under keys of this context, so that nothing is kept for a client that
// never comes back, and a context that takes its place resumes nothing that it would not accept.
void prepare_sessions(SSL_CTX* context) {
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  static constexpr unsigned char kName[] = "llm-edge-cache";
  SSL_CTX_set_session_id_context(context, kName, sizeof kName - 1);
}

Status ask_for_certificates(ssl::context& context, const std::string& authorities) {
  if (authorities.empty()) return {};
  boost::system::error_code error;
  context.load_verify_file(authorities, error);
  if (error) return cannot_use("client authority", authorities, error);
  context.set_verify_mode(ssl::verify_peer | ssl::verify_fail_if_no_peer_cert);
  // What a client chooses its certificate by.
  SSL_CTX_set_client_CA_list(context.native_handle(), SSL_load_client_CA_file(authorities.c_str()));
  return {};
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
  SSL_CTX_set_cipher_list(context->native_handle(), kCiphers);
  SSL_CTX_set_options(context->native_handle(), SSL_OP_NO_RENEGOTIATION |
                                                    SSL_OP_CIPHER_SERVER_PREFERENCE |
                                                    SSL_OP_PRIORITIZE_CHACHA);
  prepare_sessions(context->native_handle());
  boost::system::error_code error;
  context->set_password_callback(no_password, error);
  context->use_certificate_chain_file(options.certificate_file, error);
  if (error) return cannot_use("certificate", options.certificate_file, error);
  context->use_private_key_file(options.key_file, ssl::context::pem, error);
  if (error) return cannot_use("key", options.key_file, error);
  if (SSL_CTX_check_private_key(context->native_handle()) != 1) {
    return Error{ErrorCode::kInvalidArgument, "key file '" + options.key_file +
                                                  "' does not belong to certificate file '" +
                                                  options.certificate_file + "'"};
  }
  if (Status status = ask_for_certificates(*context, options.client_ca_file); !status.ok()) {
    return status.error();
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
