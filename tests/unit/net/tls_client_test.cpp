// Handshakes of our client with a server of OpenSSL's own, over loopback, both on one thread.
#include "net/tls_client.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <fstream>
#include <optional>
#include <string>

#include "tests/support/certificates.hpp"
#include "tests/support/child_process.hpp"
#include "tests/support/temp_dir.hpp"

namespace llm_edge_cache::net {
namespace {

namespace asio = boost::asio;
namespace ssl = boost::asio::ssl;
using asio::ip::tcp;
using test::Certificate;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ErrorInfo = boost::system::error_code;

struct ServerSide {
  Certificate certificate{};
  std::string client_ca_file{};  // clients must show a certificate of it; empty: need not
  int newest_version = TLS1_3_VERSION;
};

// How a handshake ended, and what the server learned from it.
struct Ended {
  ErrorInfo client;
  ErrorInfo server;
  std::string refused;      // tls_verify_failure() of the client
  std::string server_name;  // that the client asked for
  std::string client_name;  // in the certificate that it showed

  [[nodiscard]] bool is_trusted() const { return !client && !server; }
};

ssl::context server_context(const ServerSide& side) {
  ssl::context context(ssl::context::tls_server);
  context.use_certificate_chain_file(side.certificate.certificate_file);
  context.use_private_key_file(side.certificate.key_file, ssl::context::pem);
  SSL_CTX_set_max_proto_version(context.native_handle(), side.newest_version);
  // Else OpenSSL itself would not speak what is older than TLS 1.2.
  SSL_CTX_set_security_level(context.native_handle(), 0);
  if (!side.client_ca_file.empty()) {
    context.load_verify_file(side.client_ca_file);
    context.set_verify_mode(ssl::verify_peer | ssl::verify_fail_if_no_peer_cert);
  }
  return context;
}

std::string common_name(SSL* connection) {
  X509* const certificate = SSL_get1_peer_certificate(connection);
  if (certificate == nullptr) return {};
  char name[64] = {};
  X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, name, sizeof name);
  X509_free(certificate);
  return name;
}

// Both sides until each is done. Who fails hangs up, so that the other does not wait for it.
void run(asio::io_context& io, ssl::stream<tcp::socket>& client, ssl::stream<tcp::socket>& server,
         Ended& ended) {
  const auto end_with = [](ssl::stream<tcp::socket>& stream, ErrorInfo& outcome) {
    return [&stream, &outcome](ErrorInfo error) {
      outcome = error;
      ErrorInfo ignored;
      if (error) stream.next_layer().shutdown(tcp::socket::shutdown_send, ignored);
    };
  };
  client.async_handshake(ssl::stream_base::client, end_with(client, ended.client));
  server.async_handshake(ssl::stream_base::server, end_with(server, ended.server));
  io.run();
}

class TlsClientTest : public ::testing::Test {
 protected:
  // The client connects to the loopback address, whatever the host is that it believes to reach.
  Ended shake_hands(const TlsClientOptions& options, const std::string& host,
                    const ServerSide& side) {
    asio::io_context io;
    ssl::context serving = server_context(side);
    const auto context = make_tls_client_context(options);
    if (!context.ok()) throw std::runtime_error(context.error().message);
    tcp::acceptor acceptor(io, {asio::ip::address_v4::loopback(), 0});
    ssl::stream<tcp::socket> client(io, **context);
    client.next_layer().connect(acceptor.local_endpoint());
    ssl::stream<tcp::socket> server(acceptor.accept(), serving);

    const auto prepared = prepare_tls_client(client.native_handle(), host, options.verify_peer);
    if (!prepared) throw std::runtime_error(prepared.error().message);
    Ended ended;
    run(io, client, server, ended);
    ended.refused = tls_verify_failure(client.native_handle());
    const char* const name = SSL_get_servername(server.native_handle(), TLSEXT_NAMETYPE_host_name);
    ended.server_name = name == nullptr ? "" : name;
    ended.client_name = common_name(server.native_handle());
    return ended;
  }
  Ended shake_hands(const std::string& host, const std::string& subject_alt_name) {
    return shake_hands(trusting_, host,
                       {.certificate = authority_.issue("server", subject_alt_name)});
  }
  // What is said of options that cannot be used.
  static std::string refusal(const TlsClientOptions& options) {
    const auto context = make_tls_client_context(options);
    if (context.ok()) return "";
    EXPECT_EQ(context.error().code, ErrorCode::kInvalidArgument);
    return context.error().message;
  }
  [[nodiscard]] std::string file_with(const std::string& text) const {
    const std::string name = (folder_.path() / "file.pem").string();
    std::ofstream(name) << text;
    return name;
  }

  test::TempDir folder_;
  test::CertificateAuthority authority_;
  TlsClientOptions trusting_{.ca_file = authority_.ca_file()};
};

TEST_F(TlsClientTest, a_server_of_the_authority_under_its_own_name_is_trusted) {
  const auto ended = shake_hands("cache.test", "DNS:cache.test");
  EXPECT_TRUE(ended.is_trusted()) << ended.client.message();
  EXPECT_EQ(ended.refused, "");
}

TEST_F(TlsClientTest, a_server_of_another_authority_is_refused) {
  test::CertificateAuthority other;
  const auto ended = shake_hands(trusting_, "cache.test",
                                 {.certificate = other.issue("server", "DNS:cache.test")});
  EXPECT_TRUE(ended.client);
  EXPECT_THAT(ended.refused, HasSubstr("issuer certificate"));
}

TEST_F(TlsClientTest, without_an_authority_file_the_systems_authorities_count_and_ours_is_none) {
  const auto ended =
      shake_hands({}, "cache.test", {.certificate = authority_.issue("server", "DNS:cache.test")});
  EXPECT_TRUE(ended.client);
  EXPECT_THAT(ended.refused, HasSubstr("issuer certificate"));
}

TEST_F(TlsClientTest, a_certificate_of_another_name_is_refused) {
  for (const std::string host : {"other.test", "sub.cache.test", "test", "cache.test.evil"}) {
    const auto ended = shake_hands(host, "DNS:cache.test");
    EXPECT_TRUE(ended.client) << host;
    EXPECT_THAT(ended.refused, HasSubstr("hostname mismatch")) << host;
  }
}

TEST_F(TlsClientTest, a_wildcard_stands_for_one_whole_label) {
  EXPECT_TRUE(shake_hands("a.cache.test", "DNS:*.cache.test").is_trusted());
  EXPECT_FALSE(shake_hands("cache.test", "DNS:*.cache.test").is_trusted());
  EXPECT_FALSE(shake_hands("b.a.cache.test", "DNS:*.cache.test").is_trusted());
  EXPECT_FALSE(shake_hands("ab.cache.test", "DNS:a*.cache.test").is_trusted());
}

TEST_F(TlsClientTest, a_certificate_that_has_expired_is_refused) {
  const auto ended =
      shake_hands(trusting_, "cache.test",
                  {.certificate = authority_.issue("server", "DNS:cache.test", /*days=*/-1)});
  EXPECT_TRUE(ended.client);
  EXPECT_THAT(ended.refused, HasSubstr("certificate has expired"));
}

TEST_F(TlsClientTest, an_address_is_held_against_the_addresses_of_the_certificate) {
  EXPECT_TRUE(shake_hands("127.0.0.1", "IP:127.0.0.1").is_trusted());
  EXPECT_TRUE(shake_hands("::1", "IP:::1").is_trusted());
  EXPECT_THAT(shake_hands("127.0.0.2", "IP:127.0.0.1").refused, HasSubstr("IP address mismatch"));
  EXPECT_THAT(shake_hands("::2", "IP:::1").refused, HasSubstr("IP address mismatch"));
}

TEST_F(TlsClientTest, an_address_that_stands_as_a_name_does_not_count) {
  EXPECT_THAT(shake_hands("127.0.0.1", "DNS:127.0.0.1").refused, HasSubstr("IP address mismatch"));
  EXPECT_THAT(shake_hands("cache.test", "IP:127.0.0.1").refused, HasSubstr("hostname mismatch"));
}

TEST_F(TlsClientTest, a_host_that_no_certificate_can_be_held_to_is_refused_before_a_handshake) {
  const auto context = make_tls_client_context(trusting_);
  ASSERT_TRUE(context.ok());
  const std::string with_nul("cache.test\0.evil", 16);
  for (const std::string& host : {std::string(), std::string(".test"), with_nul}) {
    asio::io_context io;
    ssl::stream<tcp::socket> client(io, **context);
    const auto prepared = prepare_tls_client(client.native_handle(), host, /*verify_peer=*/true);
    ASSERT_FALSE(prepared.ok()) << host;
    EXPECT_EQ(prepared.error().code, ErrorCode::kInvalidArgument);
  }
}

// Of an address of a link, the interface says how to get there, not who is there.
TEST_F(TlsClientTest, an_address_with_an_interface_is_held_against_the_address_alone) {
  EXPECT_TRUE(shake_hands("fe80::1%lo", "IP:fe80::1").is_trusted());
  EXPECT_THAT(shake_hands("fe80::1%lo", "IP:fe80::2").refused, HasSubstr("IP address mismatch"));
}

TEST_F(TlsClientTest, the_name_is_asked_for_and_an_address_is_not) {
  EXPECT_EQ(shake_hands("cache.test", "DNS:cache.test").server_name, "cache.test");
  EXPECT_EQ(shake_hands("127.0.0.1", "IP:127.0.0.1").server_name, "");
  EXPECT_EQ(shake_hands("::1", "IP:::1").server_name, "");
}

TEST_F(TlsClientTest, a_client_shows_its_certificate_where_it_has_one) {
  const ServerSide asking{.certificate = authority_.issue("server", "DNS:cache.test"),
                          .client_ca_file = authority_.ca_file()};
  const auto own = authority_.issue("proxy", "DNS:proxy.test");
  auto options = trusting_;
  options.certificate_file = own.certificate_file;
  options.key_file = own.key_file;
  const auto shown = shake_hands(options, "cache.test", asking);
  EXPECT_TRUE(shown.is_trusted()) << shown.server.message();
  EXPECT_EQ(shown.client_name, "proxy");
  EXPECT_TRUE(shake_hands(trusting_, "cache.test", asking).server);
}

TEST_F(TlsClientTest, only_who_asks_for_it_takes_any_certificate) {
  test::CertificateAuthority other;
  const ServerSide stranger{.certificate = other.issue("server", "DNS:other.test", /*days=*/-1)};
  EXPECT_FALSE(shake_hands(trusting_, "cache.test", stranger).is_trusted());
  auto careless = trusting_;
  careless.verify_peer = false;
  const auto ended = shake_hands(careless, "cache.test", stranger);
  EXPECT_TRUE(ended.is_trusted()) << ended.client.message();
  EXPECT_EQ(ended.server_name, "cache.test");
}

TEST_F(TlsClientTest, nothing_older_than_tls_1_2_is_spoken) {
  ServerSide server{.certificate = authority_.issue("server", "DNS:cache.test")};
  server.newest_version = TLS1_2_VERSION;
  EXPECT_TRUE(shake_hands(trusting_, "cache.test", server).is_trusted());
  server.newest_version = TLS1_1_VERSION;
  const auto ended = shake_hands(trusting_, "cache.test", server);
  EXPECT_TRUE(ended.client);
  EXPECT_EQ(ended.refused, "") << "no certificate was at fault";
}

TEST_F(TlsClientTest, an_authority_file_that_cannot_be_used_is_named) {
  EXPECT_THAT(refusal({.ca_file = "/no/such/ca.pem"}),
              AllOf(HasSubstr("authority file '/no/such/ca.pem'"), HasSubstr("No such file")));
  const std::string garbage = file_with("not a certificate\n");
  EXPECT_THAT(refusal({.ca_file = garbage}), HasSubstr("authority file '" + garbage + "'"));
  // Not even who verifies nobody meant to name a file that is not there.
  EXPECT_NE(refusal({.ca_file = "/no/such/ca.pem", .verify_peer = false}), "");
}

TEST_F(TlsClientTest, a_certificate_or_key_that_cannot_be_used_is_named) {
  const auto own = authority_.issue("proxy", "DNS:proxy.test");
  EXPECT_THAT(refusal({.certificate_file = "/no/such.pem", .key_file = own.key_file}),
              HasSubstr("certificate file '/no/such.pem'"));
  EXPECT_THAT(refusal({.certificate_file = own.certificate_file, .key_file = "/no/such.key"}),
              HasSubstr("key file '/no/such.key'"));
}

TEST_F(TlsClientTest, an_encrypted_key_is_refused_and_nobody_is_asked_for_its_password) {
  const auto own = authority_.issue("proxy", "DNS:proxy.test");
  const std::string encrypted = (folder_.path() / "encrypted.key").string();
  test::ChildProcess openssl({.argv = {"openssl", "ec", "-aes256", "-passout", "pass:secret", "-in",
                                       own.key_file, "-out", encrypted}});
  ASSERT_EQ(openssl.wait(), 0) << openssl.error_output();
  EXPECT_THAT(refusal({.certificate_file = own.certificate_file, .key_file = encrypted}),
              HasSubstr("key file '" + encrypted + "'"));
}

TEST_F(TlsClientTest, a_certificate_without_its_key_and_a_key_without_its_certificate_are_refused) {
  const auto own = authority_.issue("proxy", "DNS:proxy.test");
  for (const TlsClientOptions& half : {TlsClientOptions{.certificate_file = own.certificate_file},
                                       TlsClientOptions{.key_file = own.key_file}}) {
    EXPECT_THAT(refusal(half), HasSubstr("go together"));
  }
}

TEST_F(TlsClientTest, a_key_of_another_certificate_is_refused_by_name) {
  const auto own = authority_.issue("proxy", "DNS:proxy.test");
  const auto other = authority_.issue("other", "DNS:proxy.test");
  EXPECT_THAT(refusal({.certificate_file = own.certificate_file, .key_file = other.key_file}),
              AllOf(HasSubstr("key file '" + other.key_file + "'"), HasSubstr("mismatch")));
}

}  // namespace
}  // namespace llm_edge_cache::net
