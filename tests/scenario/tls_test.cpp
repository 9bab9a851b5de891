// https on both listeners, and certificates that are taken over while answers are under way.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <string>

#include "tests/scenario/program.hpp"
#include "tests/support/certificates.hpp"
#include "tests/support/child_process.hpp"

namespace llm_edge_cache::test {
namespace {

using ::testing::HasSubstr;

constexpr const char* kName = "DNS:localhost,IP:127.0.0.1";

class TlsScenarioTest : public ::testing::Test {
 protected:
  TlsScenarioTest() { use(first_); }
  // As an operator renews: the files that the proxy was told of have other contents.
  void use(const Certificate& certificate) const {
    const auto replace = std::filesystem::copy_options::overwrite_existing;
    std::filesystem::copy_file(certificate.certificate_file, cert(), replace);
    std::filesystem::copy_file(certificate.key_file, key(), replace);
  }
  [[nodiscard]] std::string cert() const { return (dir_.path() / "cert.pem").string(); }
  [[nodiscard]] std::string key() const { return (dir_.path() / "key.pem").string(); }
  [[nodiscard]] std::vector<std::string> arguments(std::vector<std::string> more = {}) const {
    more.insert(more.end(), {"--tls-cert", cert(), "--tls-key", key(), "--admin-tls-cert", cert(),
                             "--admin-tls-key", key()});
    return serve_arguments(mock_.url(), std::move(more));
  }
  [[nodiscard]] std::vector<std::string> curl(const std::string& address, const std::string& path,
                                              const std::string& ca) const {
    return {"curl", "-sS", "--max-time", "20", "--cacert", ca, "https://" + address + path};
  }
  // The subject of the certificate that a new connection is shown.
  static std::string subject(const std::string& address) {
    ChildProcess client({.argv = {"openssl", "s_client", "-connect", address}});
    client.wait();
    const auto text = client.output();
    const auto at = text.find("subject=");
    return at == std::string::npos ? text : text.substr(at, text.find('\n', at) - at);
  }

  TempDir dir_;
  CertificateAuthority authority_;
  CertificateAuthority other_authority_;
  Certificate first_ = authority_.issue("first", kName);
  Certificate second_ = authority_.issue("second", kName);
  Program mock_{{"mock-provider", "--listen", "127.0.0.1:0", "--tokens-per-second", "10"}};
};

TEST_F(TlsScenarioTest, both_listeners_speak_https_to_who_trusts_the_authority) {
  Program proxy(arguments());
  ChildProcess health({.argv = curl(proxy.address("admin"), "/healthz", authority_.ca_file())});
  EXPECT_EQ(health.wait(), 0) << health.error_output();
  EXPECT_THAT(health.output(), HasSubstr("ok"));
  auto chat = curl(proxy.address("listen"), "/v1/chat/completions", authority_.ca_file());
  chat.insert(chat.end(), {"-H", "Content-Type: application/json", "-d",
                           R"({"model":"m","messages":[{"role":"user","content":"Hi"}]})"});
  ChildProcess asked({.argv = chat});
  EXPECT_EQ(asked.wait(), 0) << asked.error_output();
  EXPECT_THAT(asked.output(), HasSubstr("choices"));
  for (const std::string name : {"listen", "admin"}) {
    ChildProcess wary({.argv = curl(proxy.address(name), "/healthz", other_authority_.ca_file())});
    EXPECT_NE(wary.wait(), 0);
    EXPECT_THAT(wary.error_output(), HasSubstr("certificate"));
  }
}

TEST_F(TlsScenarioTest, commands_reach_the_admin_listener_with_its_authority) {
  Program proxy(arguments());
  const auto url = "https://" + proxy.address("admin");
  EXPECT_EQ(run_program({"stats", "--admin", url}).status, 1);
  const auto stats =
      run_program({"stats", "--admin", url, "--admin-ca-file", authority_.ca_file()});
  EXPECT_EQ(stats.status, 0) << stats.error;
}

TEST_F(TlsScenarioTest, a_client_without_certificate_is_refused_where_an_authority_is_named) {
  Program proxy(arguments({"--tls-client-ca", authority_.ca_file()}));
  auto request = curl(proxy.address("listen"), "/v1/models", authority_.ca_file());
  ChildProcess nameless({.argv = request});
  EXPECT_NE(nameless.wait(), 0);
  request.insert(request.end(), {"--cert", second_.certificate_file, "--key", second_.key_file});
  ChildProcess known({.argv = request});
  EXPECT_EQ(known.wait(), 0) << known.error_output();
}

TEST_F(TlsScenarioTest, a_renewed_certificate_is_shown_from_then_on_and_a_stream_goes_on) {
  Program proxy(arguments());
  auto request = curl(proxy.address("listen"), "/v1/chat/completions", authority_.ca_file());
  request.insert(request.end(),
                 {"-N", "-H", "Content-Type: application/json", "-d",
                  R"({"model":"m","messages":[{"role":"user","content":"Hi"}],"stream":true})"});
  ChildProcess stream({.argv = request});
  ASSERT_TRUE(stream.wait_for_line("data: "));
  EXPECT_THAT(subject(proxy.address("listen")), HasSubstr("first"));
  use(second_);
  proxy.process().signal(SIGHUP);
  ASSERT_TRUE(proxy.process().wait_for_line("reloaded: "));
  EXPECT_THAT(subject(proxy.address("listen")), HasSubstr("second"));
  EXPECT_THAT(subject(proxy.address("admin")), HasSubstr("second"));
  EXPECT_EQ(stream.wait(), 0) << stream.error_output();
  EXPECT_THAT(stream.output(), HasSubstr("data: [DONE]"));
}

TEST_F(TlsScenarioTest, a_certificate_that_cannot_be_used_leaves_the_former_one) {
  Program proxy(arguments());
  std::filesystem::copy_file(second_.key_file, key(),
                             std::filesystem::copy_options::overwrite_existing);
  proxy.process().signal(SIGHUP);
  const auto line = proxy.process().wait_for_line("reload failed, nothing has changed");
  ASSERT_TRUE(line);
  EXPECT_THAT(*line, HasSubstr(key()));
  EXPECT_THAT(subject(proxy.address("listen")), HasSubstr("first"));
}

TEST_F(TlsScenarioTest, a_certificate_without_its_key_is_refused) {
  const auto ended = run_program(serve_arguments(mock_.url(), {"--tls-cert", cert(), "--check"}));
  EXPECT_EQ(ended.status, 2);
  EXPECT_THAT(ended.error, HasSubstr("--tls-cert and --tls-key go together"));
}

}  // namespace
}  // namespace llm_edge_cache::test
