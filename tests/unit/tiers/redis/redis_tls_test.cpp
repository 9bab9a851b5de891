// TLS with certificates that are right, and wrong in every way that matters.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <mutex>
#include <optional>
#include <string>

#include "tests/support/certificates.hpp"
#include "tests/support/client_hello.hpp"
#include "tests/support/redis_server.hpp"
#include "tests/support/scripted_server.hpp"
#include "tests/unit/tiers/redis/configs.hpp"
#include "tests/unit/tiers/redis/live_tier.hpp"

namespace llm_edge_cache::redis {
namespace {

using test::Certificate;
using test::CertificateAuthority;
using test::eventually;
using test::RedisServer;
using test::RedisServerOptions;
using ::testing::HasSubstr;

RedisServerOptions tls(Certificate certificate, std::string clients_ca = {}) {
  return {.transport = RedisServerOptions::Transport::kTls,
          .certificate = std::move(certificate),
          .ca_file = std::move(clients_ca)};
}

class RedisTlsTest : public ::testing::Test {
 protected:
  L2Config config_for(const RedisServer& server) const {
    return {.url = server.url(),
            .connect_timeout_ms = 20'000,
            .operation_timeout_ms = 20'000,
            .tls_ca_file = authority_.ca_file(),
            .shutdown_flush_ms = 0,
            .reconnect_min_ms = 10,
            .reconnect_max_ms = 100};
  }
  // What the tier says of a server that it must not use.
  static std::string refusal(const L2Config& config) {
    LiveTier tier(config);
    if (!tier.event_told(TierEventKind::kConnectFailed)) return "no event";
    EXPECT_TRUE(eventually([&] { return tier.read(1) == "unavailable"; }));
    return tier.last_event(TierEventKind::kConnectFailed);
  }

  CertificateAuthority authority_;
};

TEST_F(RedisTlsTest, verifies_the_server_and_stores_and_finds) {
  RedisServer server(tls(authority_.issue("server", "DNS:localhost")));
  LiveTier tier(config_for(server));
  tier.put(1, std::string(100'000, 'x'));
  ASSERT_TRUE(tier.flush().ok());
  EXPECT_EQ(tier.read(1), std::string(100'000, 'x'));
}

TEST_F(RedisTlsTest, refuses_a_certificate_of_an_authority_it_does_not_trust) {
  CertificateAuthority other;
  RedisServer server(tls(other.issue("server", "DNS:localhost")));
  L2Config config = config_for(server);
  EXPECT_THAT(refusal(config), HasSubstr("certificate is refused"));
  config.tls_ca_file.clear();  // the system's authorities know neither
  EXPECT_THAT(refusal(config), HasSubstr("certificate is refused"));
}

TEST_F(RedisTlsTest, counts_refused_certificates_and_keeps_trying) {
  CertificateAuthority other;
  RedisServer server(tls(other.issue("server", "DNS:localhost")));
  LiveTier tier(config_for(server));
  EXPECT_TRUE(eventually([&] { return tier->counters().errors_protocol >= 3; }));
}

TEST_F(RedisTlsTest, refuses_a_certificate_of_another_name) {
  RedisServer server(tls(authority_.issue("server", "DNS:elsewhere.example")));
  L2Config config = config_for(server);
  EXPECT_THAT(refusal(config), HasSubstr("certificate is refused"));
  config.tls_server_name = "elsewhere.example";
  LiveTier tier(config);
  EXPECT_TRUE(tier.becomes_available());
}

TEST_F(RedisTlsTest, takes_an_address_for_a_name) {
  RedisServer server(tls(authority_.issue("server", "IP:127.0.0.1")));
  L2Config config = config_for(server);
  config.url = "rediss://127.0.0.1:" + std::to_string(server.port());
  LiveTier tier(config);
  EXPECT_TRUE(tier.becomes_available());
}

TEST_F(RedisTlsTest, accepts_anything_where_it_is_told_to) {
  CertificateAuthority other;
  RedisServer server(tls(other.issue("server", "DNS:elsewhere.example")));
  L2Config config = config_for(server);
  config.tls_insecure_accept_any_certificate = true;
  LiveTier tier(config);
  EXPECT_TRUE(tier.becomes_available());
}

TEST_F(RedisTlsTest, shows_its_certificate_to_a_server_that_asks_for_one) {
  RedisServer server(tls(authority_.issue("server", "DNS:localhost"), authority_.ca_file()));
  L2Config config = config_for(server);
  EXPECT_NE(refusal(config), "no event");
  const Certificate client = authority_.issue("client", "DNS:client");
  config.tls_cert_file = client.certificate_file;
  config.tls_key_file = client.key_file;
  LiveTier tier(config);
  EXPECT_TRUE(tier.becomes_available());
}

TEST_F(RedisTlsTest, survives_a_server_that_speaks_no_tls) {
  RedisServer server;
  L2Config config = config_for(server);
  config.url = "rediss://127.0.0.1:" + std::to_string(server.port());
  config.connect_timeout_ms = 300;  // it waits for the end of a line
  EXPECT_NE(refusal(config), "no event");
}

TEST_F(RedisTlsTest, does_not_start_with_files_it_cannot_use) {
  RedisServer server(tls(authority_.issue("server", "DNS:localhost")));
  L2Config config = config_for(server);
  config.tls_ca_file = "/nowhere/ca.pem";
  const auto created = RedisTier::create(config, std::make_shared<SystemClock>());
  ASSERT_FALSE(created.ok());
  EXPECT_EQ(created.error().code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(created.error().message, HasSubstr("/nowhere/ca.pem"));
}

TEST_F(RedisTlsTest, comes_back_when_the_server_does) {
  RedisServer server(tls(authority_.issue("server", "DNS:localhost")));
  LiveTier tier(config_for(server));
  ASSERT_TRUE(tier.becomes_available());
  server.restart();
  EXPECT_TRUE(tier.becomes_available());
}

// Reads what a client says first, and goes no further.
class NameServer {
 public:
  [[nodiscard]] std::uint16_t port() const { return server_.port(); }
  // The name that the first client asks for: "(none)" where it asks for none.
  [[nodiscard]] std::string name_asked_for() {
    std::optional<test::ClientHello> hello;
    const bool came = eventually([&] {
      const std::lock_guard lock(mutex_);
      hello = test::parse_client_hello(received_);
      return hello.has_value();
    });
    if (!came) return "no ClientHello";
    return hello->server_name.empty() ? "(none)" : hello->server_name;
  }

 private:
  std::mutex mutex_;
  std::string received_;
  test::ScriptedServer server_{[this](std::string_view bytes) {
    const std::lock_guard lock(mutex_);
    received_ += bytes;
    return test::ScriptedServer::Action{};
  }};
};

// Of the host and port that stand in "@".
std::string name_asked_for(std::string url, const std::string& host, L2Config config = {}) {
  NameServer server;
  url.replace(url.find('@'), 1, host + ":" + std::to_string(server.port()));
  config.url = url;
  config.shutdown_flush_ms = 0;
  const LiveTier tier(config);
  return server.name_asked_for();
}

TEST(RedisServerNameTest, is_the_host_of_the_url) {
  for (const char* url : {"rediss://@", "rediss+cluster://@", "rediss+sentinel://@/mymaster"}) {
    EXPECT_EQ(name_asked_for(url, "localhost"), "localhost") << url;
  }
}

TEST(RedisServerNameTest, is_not_sent_for_an_address) {
  EXPECT_EQ(name_asked_for("rediss://@", "127.0.0.1"), "(none)");
}

TEST(RedisServerNameTest, is_the_configured_one_where_there_is_one) {
  const L2Config config{.tls_server_name = "redis.example"};
  for (const char* url : {"rediss://@", "rediss+cluster://@", "rediss+sentinel://@/mymaster"}) {
    EXPECT_EQ(name_asked_for(url, "127.0.0.1", config), "redis.example") << url;
    EXPECT_EQ(name_asked_for(url, "localhost", config), "redis.example") << url;
  }
}

TEST(RedisServerNameTest, is_sent_though_no_certificate_is_verified) {
  EXPECT_EQ(
      name_asked_for("rediss://@", "localhost", {.tls_insecure_accept_any_certificate = true}),
      "localhost");
}

}  // namespace
}  // namespace llm_edge_cache::redis
