#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "certificates.hpp"
#include "http/tls_context.hpp"
#include "raw_client.hpp"
#include "test_client.hpp"
#include "tests/support/child_process.hpp"
#include "tests/support/temp_dir.hpp"

namespace llm_edge_cache::http {
namespace {

using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::HasSubstr;

class TlsTest : public ::testing::Test {
 protected:
  ServerOptions with_certificate(const TlsServerOptions& tls) {
    ServerOptions options;
    options.tls = tls;
    return options;
  }
  Origin origin(const TestServer& server, std::string host = "localhost") {
    return {Scheme::kHttps, std::move(host), server.port()};
  }

  test::TempDir folder_;
  CertificateAuthority authority_{folder_.path()};
  TlsServerOptions localhost_ = authority_.issue("localhost", "DNS:localhost,IP:127.0.0.1");
  ClientOptions trusting_{.tls = {.extra_ca_file = authority_.ca_file()}};
};

TEST_F(TlsTest, requests_share_a_verified_connection) {
  TestServer server(echo, with_certificate(localhost_));
  TestClient client(trusting_);
  for (const std::string host : {"localhost", "localhost", "127.0.0.1"}) {
    const Outcome outcome = client.fetch(origin(server, host), request_head("POST", "/p"), "body");
    ASSERT_TRUE(outcome.end) << outcome.error->error.message;
    EXPECT_EQ(outcome.body, "POST /p body");
  }
  EXPECT_EQ(server.server().connection_count(), 2U);
}

TEST_F(TlsTest, large_bodies_pass_both_ways) {
  const std::string body(900'000, 'x');
  TestServer server(echo, with_certificate(localhost_));
  TestClient client(trusting_);
  const Outcome outcome = client.fetch(origin(server), request_head("POST", "/p"), body);
  ASSERT_TRUE(outcome.end);
  EXPECT_EQ(outcome.body, "POST /p " + body);
}

TEST_F(TlsTest, streamed_answer_passes_in_order) {
  TestServer server(
      [](const ExchangePtr& exchange) {
        exchange->start({});
        for (int i = 0; i < 100; ++i) exchange->write(std::to_string(i) + ",");
        exchange->finish();
      },
      with_certificate(localhost_));
  TestClient client(trusting_);
  std::string expected;
  for (int i = 0; i < 100; ++i) expected += std::to_string(i) + ",";
  EXPECT_EQ(client.fetch(origin(server), request_head("GET", "/")).body, expected);
}

TEST_F(TlsTest, authority_that_nobody_trusts_is_refused) {
  TestServer server(echo, with_certificate(localhost_));
  TestClient client;
  const Outcome outcome = client.fetch(origin(server), request_head("GET", "/"));
  ASSERT_TRUE(outcome.error);
  EXPECT_EQ(outcome.error->at, FailedAt::kConnect);
  EXPECT_THAT(
      outcome.error->error.message,
      AllOf(HasSubstr("localhost:"), HasSubstr("certificate was refused"), HasSubstr("issuer")));
}

TEST_F(TlsTest, certificate_of_another_host_is_refused) {
  TestServer server(echo, with_certificate(authority_.issue("other", "DNS:other.example")));
  TestClient client(trusting_);
  for (const std::string host : {"localhost", "127.0.0.1"}) {
    const Outcome outcome = client.fetch(origin(server, host), request_head("GET", "/"));
    ASSERT_TRUE(outcome.error);
    EXPECT_THAT(outcome.error->error.message, HasSubstr("mismatch"));
  }
}

// OpenSSL takes the one for every name below it, and cannot read the other: either would let in
// more than the host.
TEST_F(TlsTest, host_that_no_certificate_can_be_held_to_gets_no_handshake) {
  const auto context = make_client_context(trusting_.tls);
  ASSERT_TRUE(context.ok());
  IoThreads threads{{.threads = 1}};
  for (const std::string host : {".localhost", ""}) {
    Once<IoError> failed;
    Once<std::string> why;
    threads.run_on_each([&](IoThread& thread) {
      const std::shared_ptr<Stream> stream =
          make_tls_stream(Socket(thread.context()), *context,
                          {.role = TlsRole::kClient, .host = host, .verify_peer = true});
      stream->handshake([&, stream](IoError error) {
        why.set(stream->verify_failure());
        failed.set(error);
      });
    });
    EXPECT_EQ(failed.wait(), boost::asio::error::invalid_argument);
    EXPECT_THAT(why.wait(), HasSubstr("'" + host + "'"));
  }
}

// OpenSSL does not read the interface.
TEST_F(TlsTest, address_with_an_interface_is_held_to_its_bytes) {
  const auto context = make_client_context(trusting_.tls);
  ASSERT_TRUE(context.ok());
  IoThreads threads{{.threads = 1}};
  Once<std::string> why;
  threads.run_on_each([&](IoThread& thread) {
    why.set(make_tls_stream(Socket(thread.context()), *context,
                            {.role = TlsRole::kClient, .host = "fe80::1%lo", .verify_peer = true})
                ->verify_failure());
  });
  EXPECT_EQ(why.wait(), "");
}

TEST_F(TlsTest, verification_can_be_switched_off) {
  TestServer server(echo, with_certificate(authority_.issue("other", "DNS:other.example")));
  TestClient client({.tls = {.verify_peer = false}});
  EXPECT_TRUE(client.fetch(origin(server), request_head("GET", "/")).end);
}

TEST_F(TlsTest, plain_request_to_a_tls_server_fails_and_the_server_goes_on) {
  TestServer server(echo, with_certificate(localhost_));
  RawClient plain(server.port());
  plain.send(get("/"));
  EXPECT_THAT(plain.read_all(), testing::Not(HasSubstr("HTTP/1.1 200")));
  TestClient client(trusting_);
  EXPECT_TRUE(client.fetch(origin(server), request_head("GET", "/")).end);
}

TEST_F(TlsTest, tls_request_to_a_plain_server_fails_at_connect) {
  TestServer server(echo);
  TestClient client(trusting_);
  const Outcome outcome = client.fetch(origin(server), request_head("GET", "/"));
  ASSERT_TRUE(outcome.error);
  EXPECT_EQ(outcome.error->at, FailedAt::kConnect);
}

TEST_F(TlsTest, client_without_a_handshake_is_closed_in_time) {
  ServerOptions options = with_certificate(localhost_);
  options.tls_handshake_timeout_ms = 50;
  TestServer server(echo, options);
  RawClient silent(server.port());
  EXPECT_EQ(silent.read_all(), "");
}

TEST_F(TlsTest, reloaded_certificate_serves_new_connections) {
  TestServer server(echo, with_certificate(authority_.issue("other", "DNS:other.example")));
  TestClient client(trusting_);
  ASSERT_TRUE(client.fetch(origin(server), request_head("GET", "/")).error);
  EXPECT_FALSE(
      server.server().reload_tls({.certificate_file = "/no/such", .key_file = "/no/such"}).ok());
  ASSERT_TRUE(server.server().reload_tls(localhost_).ok());
  EXPECT_TRUE(client.fetch(origin(server), request_head("GET", "/")).end);
}

TEST_F(TlsTest, key_of_another_certificate_is_named) {
  const TlsServerOptions other = authority_.issue("other", "DNS:other.example");
  IoThreads threads({.threads = 1});
  ServerOptions options = on_free_port();
  options.tls = {.certificate_file = localhost_.certificate_file, .key_file = other.key_file};
  try {
    Server server(threads, options, std::make_shared<FunctionHandler>(echo));
    FAIL() << "the key is another certificate's";
  } catch (const std::invalid_argument& error) {
    EXPECT_THAT(error.what(), HasSubstr(other.key_file));
  }
}

TEST_F(TlsTest, encrypted_key_is_refused_and_nobody_is_asked_for_its_password) {
  const std::string encrypted = folder_.path() / "encrypted.key";
  test::ChildProcess openssl({.argv = {"openssl", "ec", "-aes256", "-passout", "pass:secret", "-in",
                                       localhost_.key_file, "-out", encrypted}});
  ASSERT_EQ(openssl.wait(), 0) << openssl.error_output();
  const auto context =
      make_server_context({.certificate_file = localhost_.certificate_file, .key_file = encrypted});
  ASSERT_FALSE(context.ok());
  EXPECT_THAT(context.error().message, HasSubstr(encrypted));
}

TEST_F(TlsTest, only_clients_of_the_authority_may_connect_where_one_is_named) {
  TlsServerOptions tls = localhost_;
  tls.client_ca_file = authority_.ca_file();
  TestServer server(echo, with_certificate(tls));
  const TlsServerOptions client = authority_.issue("client", "DNS:client");
  const std::string url = "https://localhost:" + std::to_string(server.port()) + "/a";
  const std::vector<std::string> curl{"curl", "-sS", "--cacert", authority_.ca_file(), url};

  test::ChildProcess nameless({.argv = curl});
  EXPECT_NE(nameless.wait(), 0);
  EXPECT_EQ(nameless.output(), "");

  std::vector<std::string> with_own = curl;
  with_own.insert(with_own.end(), {"--cert", client.certificate_file, "--key", client.key_file});
  test::ChildProcess known({.argv = with_own});
  EXPECT_EQ(known.wait(), 0) << known.error_output();
  EXPECT_EQ(known.output(), "GET /a ");

  test::TempDir elsewhere;
  const CertificateAuthority foreign(elsewhere.path());
  const TlsServerOptions stranger = foreign.issue("stranger", "DNS:client");
  std::vector<std::string> with_foreign = curl;
  with_foreign.insert(with_foreign.end(),
                      {"--cert", stranger.certificate_file, "--key", stranger.key_file});
  test::ChildProcess unknown({.argv = with_foreign});
  EXPECT_NE(unknown.wait(), 0);
  EXPECT_EQ(unknown.output(), "");
}

TEST_F(TlsTest, client_authority_that_cannot_be_read_is_named) {
  TlsServerOptions tls = localhost_;
  tls.client_ca_file = "/no/such/ca.pem";
  const auto context = make_server_context(tls);
  ASSERT_FALSE(context.ok());
  EXPECT_THAT(context.error().message, HasSubstr("/no/such/ca.pem"));
}

// What openssl says of a connection with these arguments.
class HandshakeTest : public TlsTest {
 protected:
  std::string handshake(std::vector<std::string> more) {
    std::vector<std::string> argv{"openssl",     "s_client",
                                  "-connect",    "127.0.0.1:" + std::to_string(server_.port()),
                                  "-CAfile",     authority_.ca_file(),
                                  "-servername", "localhost"};
    argv.insert(argv.end(), more.begin(), more.end());
    test::ChildProcess openssl({.argv = argv, .input = get("/", "Connection: close\r\n")});
    openssl.wait();
    return openssl.output() + openssl.error_output();
  }

  TestServer server_{echo, with_certificate(localhost_)};
};

TEST_F(HandshakeTest, speaks_tls_1_2_and_1_3_and_nothing_older) {
  EXPECT_THAT(handshake({"-tls1_2"}), HasSubstr("Verify return code: 0"));
  EXPECT_THAT(handshake({"-tls1_3"}), HasSubstr("Verify return code: 0"));
  EXPECT_THAT(handshake({"-tls1_1", "-cipher", "ALL:@SECLEVEL=0"}), HasSubstr("alert"));
}

TEST_F(HandshakeTest, takes_no_cipher_without_forward_secrecy_and_authentication) {
  EXPECT_THAT(handshake({"-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256"}),
              HasSubstr("Verify return code: 0"));
  for (const std::string cipher : {"ECDHE-ECDSA-AES128-SHA", "AES128-GCM-SHA256"}) {
    EXPECT_THAT(handshake({"-tls1_2", "-cipher", cipher}), HasSubstr("handshake failure"))
        << cipher;
  }
}

TEST_F(HandshakeTest, agrees_on_http_1_1_and_nothing_else) {
  EXPECT_THAT(handshake({"-alpn", "h2,http/1.1"}), HasSubstr("ALPN protocol: http/1.1"));
  EXPECT_THAT(handshake({"-alpn", "h2"}), HasSubstr("No ALPN negotiated"));
}

TEST_F(HandshakeTest, session_is_resumed_until_the_certificate_is_reloaded) {
  const std::string session = folder_.path() / "session";
  ASSERT_THAT(handshake({"-tls1_2", "-sess_out", session}), HasSubstr("New, TLSv1.2"));
  EXPECT_THAT(handshake({"-tls1_2", "-sess_in", session}), HasSubstr("Reused, TLSv1.2"));
  ASSERT_TRUE(server_.server().reload_tls(localhost_).ok());
  EXPECT_THAT(handshake({"-tls1_2", "-sess_in", session}), HasSubstr("New, TLSv1.2"));
}

// Two answers in one segment, the second to nothing. The next request is there before the client
// has looked at it.
TEST_F(TlsTest, answer_that_nobody_asked_for_is_not_the_next_requests) {
  constexpr const char* kTwoAnswers = R"(
import socket, ssl, sys
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[1], sys.argv[2])
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
def answer(text):
    return b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n" + text
for texts in ([b"mine", b"evil"], [b"next"]):
    plain, _ = listener.accept()
    came, leaving = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(came, leaving, server_side=True)
    for step in (tls.do_handshake, lambda: tls.read(4096)):
        while True:
            try:
                step()
                break
            except ssl.SSLWantReadError:
                if leaving.pending:
                    plain.sendall(leaving.read())
                came.write(plain.recv(65536))
    for text in texts:
        tls.write(answer(text))
    plain.sendall(leaving.read())
    kept = plain if text == b"evil" else None
)";
  test::ChildProcess server(
      {.argv = {"python3", "-c", kTwoAnswers, localhost_.certificate_file, localhost_.key_file}});
  ASSERT_TRUE(eventually([&] { return server.output().ends_with('\n'); }));
  const auto port = static_cast<std::uint16_t>(std::stoul(server.output()));
  TestClient client(trusting_);
  const Origin origin{Scheme::kHttps, "localhost", port};
  const auto second = std::make_shared<Collector>();
  const auto first = std::make_shared<Collector>();
  first->end_hook = [&] {
    client.client().request(client.thread(), origin, request_head("GET", "/"), SharedBytes(""),
                            second);
  };
  client.start(origin, request_head("GET", "/"), SharedBytes(""), first);
  EXPECT_EQ(first->wait().body, "mine");
  EXPECT_EQ(second->wait().body, "next");
}

// What it still writes is read, and thrown away: were the connection closed on it, its write would
// fail, and many libraries would not look for an answer.
TEST_F(TlsTest, client_that_writes_what_nobody_reads_comes_to_read_its_early_answer) {
  constexpr const char* kWriteThenRead = R"(
import socket, ssl, sys
context = ssl.create_default_context(cafile=sys.argv[2])
head = b"POST / HTTP/1.1\r\nHost: h\r\nExpect: x\r\nContent-Length: 500000\r\n\r\n"
for _ in range(10):
    plain = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
    with context.wrap_socket(plain, server_hostname="localhost") as connection:
        connection.sendall(head + b"x" * 500000)
        print(connection.recv(12).decode())
)";
  TestServer server(echo, with_certificate(localhost_));
  test::ChildProcess python({.argv = {"python3", "-c", kWriteThenRead,
                                      std::to_string(server.port()), authority_.ca_file()}});
  EXPECT_EQ(python.wait(), 0) << python.error_output();
  std::string ten;
  for (int i = 0; i < 10; ++i) ten += "HTTP/1.1 417\n";
  EXPECT_EQ(python.output(), ten);
  EXPECT_TRUE(eventually([&] { return server.server().connection_count() == 0; }));
}

// A close-delimited body without close_notify may have been cut by anybody on the way.
TEST_F(TlsTest, unframed_body_without_close_notify_is_an_error) {
  for (const bool aborts : {false, true}) {
    TestServer server(
        [aborts](const ExchangePtr& exchange) {
          exchange->start({});
          exchange->write("maybe whole");
          exchange->on_drain(
              [exchange, aborts] { aborts ? exchange->abort() : exchange->finish(); });
        },
        with_certificate(localhost_));
    test::ChildProcess curl({.argv = {"curl", "-sS", "--http1.0", "--cacert", authority_.ca_file(),
                                      "https://localhost:" + std::to_string(server.port())}});
    EXPECT_EQ(curl.wait() == 0, !aborts) << curl.error_output();
    EXPECT_EQ(curl.output(), "maybe whole");
  }
}

TEST_F(TlsTest, curl_verifies_and_reuses_the_connection) {
  TestServer server(echo, with_certificate(localhost_));
  const std::string url = "https://localhost:" + std::to_string(server.port());
  test::ChildProcess curl({.argv = {"curl", "-sS", "--cacert", authority_.ca_file(), "-w",
                                    "|%{http_version} %{num_connects}\n", url + "/a", url + "/b"}});
  EXPECT_EQ(curl.wait(), 0) << curl.error_output();
  EXPECT_EQ(curl.output(), "GET /a |1.1 1\nGET /b |1.1 0\n");
}

}  // namespace
}  // namespace llm_edge_cache::http
