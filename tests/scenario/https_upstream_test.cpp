// A provider behind TLS: verified against the authorities that the operator trusts.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/server.hpp"
#include "mock_provider/mock_chat.hpp"
#include "tests/scenario/program.hpp"
#include "tests/scenario/raw_client.hpp"
#include "tests/support/temp_dir.hpp"

namespace llm_edge_cache::test {
namespace {

using ::testing::HasSubstr;

// Answers every chat request, over TLS.
class SecureProvider final : public http::Handler,
                             public std::enable_shared_from_this<SecureProvider> {
 public:
  void handle(std::shared_ptr<http::Exchange> exchange) override {
    exchange->read_body(1U << 20U, [exchange](Result<std::string> body) {
      if (!body) return;
      http::ResponseHead head;
      head.headers.add("Content-Type", "application/json");
      exchange->respond(std::move(head), http::SharedBytes(app::mock_chat(*body).body()));
    });
  }
};

class HttpsUpstreamTest : public ::testing::Test {
 protected:
  // A certificate of its own authority for that name.
  void serve_as(const std::string& name) {
    const auto key = file("key.pem");
    ChildProcess openssl(
        {.argv = {"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                  "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1", "-subj", "/CN=" + name,
                  "-addext", "subjectAltName=DNS:" + name, "-keyout", key, "-out", certificate()},
         .env = {},
         .directory = {},
         .input = {}});
    ASSERT_EQ(openssl.wait(), 0) << openssl.error_output();
    http::ServerOptions options;
    options.listen = "127.0.0.1:0";
    options.tls = http::TlsServerOptions{.certificate_file = certificate(), .key_file = key};
    provider_ =
        std::make_unique<http::Server>(threads_, options, std::make_shared<SecureProvider>());
  }

  [[nodiscard]] std::string file(const std::string& name) const {
    return (directory_.path() / name).string();
  }
  [[nodiscard]] std::string certificate() const { return file("certificate.pem"); }
  [[nodiscard]] std::string url() const {
    return "https://localhost:" + std::to_string(provider_->port());
  }

  TempDir directory_;
  http::IoThreads threads_{{.threads = 1}};
  std::unique_ptr<http::Server> provider_;
};

TEST_F(HttpsUpstreamTest, a_trusted_provider_answers) {
  serve_as("localhost");
  Program proxy(serve_arguments(url(), {"--upstream-ca-file", certificate()}));
  EXPECT_EQ(ask_chat(proxy.address("listen"), "secret").status, 200);
  EXPECT_THAT(ask_chat(proxy.address("listen"), "secret").field("cache-status"),
              HasSubstr("; hit;"));
}

TEST_F(HttpsUpstreamTest, a_provider_that_nobody_vouches_for_is_a_502) {
  serve_as("localhost");
  Program proxy(serve_arguments(url()));
  EXPECT_EQ(ask_chat(proxy.address("listen"), "secret").status, 502);
}

TEST_F(HttpsUpstreamTest, a_certificate_of_another_name_is_a_502) {
  serve_as("elsewhere.test");
  Program proxy(serve_arguments(url(), {"--upstream-ca-file", certificate()}));
  EXPECT_EQ(ask_chat(proxy.address("listen"), "secret").status, 502);
}

TEST_F(HttpsUpstreamTest, an_authority_file_that_cannot_be_used_stops_the_start) {
  const auto ended = run_program(
      serve_arguments("https://localhost:1", {"--upstream-ca-file", "/nonexistent.pem"}));
  EXPECT_EQ(ended.status, 2);
  EXPECT_THAT(ended.error, HasSubstr("/nonexistent.pem"));
}

}  // namespace
}  // namespace llm_edge_cache::test
