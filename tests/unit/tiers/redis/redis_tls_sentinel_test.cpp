// Sentinels, a master and its replica that speak nothing but TLS, to clients and to each other.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/redis_sentinels.hpp"
#include "tests/unit/tiers/redis/fleet_node.hpp"
#include "tests/unit/tiers/redis/live_tier.hpp"
#include "tests/unit/tiers/redis/load.hpp"
#include "tests/unit/tiers/redis/mutual_tls.hpp"

namespace llm_edge_cache::redis {
namespace {

using test::Certificate;
using test::eventually;
using test::MutualTls;
using test::RedisSentinels;
using ::testing::HasSubstr;

// A busy machine takes its time for a handshake.
L2Config patient(std::string url) {
  L2Config config = impatient(std::move(url));
  config.connect_timeout_ms = 2'000;
  config.operation_timeout_ms = 500;
  return config;
}

TEST(RedisTlsSentinelTest, asks_the_sentinels_and_stores_in_the_master) {
  Authority authority;
  RedisSentinels sentinels(authority.servers());
  ASSERT_THAT(sentinels.url(), ::testing::StartsWith("rediss+sentinel://"));
  LiveTier tier(authority.trusted(quick(sentinels.url())));
  tier.put(1, std::string(100'000, 'x'));
  ASSERT_TRUE(tier.flush().ok());
  EXPECT_EQ(sentinels.server(0).command({"EXISTS", stored_key(1)}), "1");
  EXPECT_EQ(tier.read(1), std::string(100'000, 'x'));
}

TEST(RedisTlsSentinelTest, follows_the_master_when_the_sentinels_fail_over_under_load) {
  Authority authority;
  RedisSentinels sentinels(authority.servers());
  LiveTier tier(authority.trusted(patient(sentinels.url())));
  ASSERT_TRUE(tier.becomes_available());
  Load load(tier.tier(), 4);
  ASSERT_TRUE(eventually([&] { return load.hits() > 100; }));
  sentinels.fail_over();
  test::RedisServer& master = sentinels.server(1);
  EXPECT_TRUE(eventually([&] {
    tier.put(1, "after");
    return tier.flush().ok() && master.command({"EXISTS", stored_key(1)}) == "1";
  }));
  EXPECT_TRUE(eventually([&] { return tier.read(1) == "after"; }));
  load.stop();
  EXPECT_EQ(load.wrong(), 0U);
}

TEST(RedisTlsSentinelTest, finds_what_was_stored_when_the_master_is_killed) {
  Authority authority;
  RedisSentinels sentinels(authority.servers());
  LiveTier tier(authority.trusted(patient(sentinels.url())));
  ASSERT_TRUE(tier.becomes_available());
  tier.put(1, "one");
  ASSERT_TRUE(tier.flush().ok());
  ASSERT_TRUE(
      eventually([&] { return sentinels.server(1).command({"EXISTS", stored_key(1)}) == "1"; }));
  sentinels.server(0).kill();
  EXPECT_TRUE(eventually([&] { return sentinels.master() == 1 && tier.read(1) == "one"; }));
}

TEST(RedisTlsSentinelTest, the_channel_of_a_fleet_follows_the_master) {
  Authority authority;
  RedisSentinels sentinels(authority.servers());
  FleetNode a(authority.trusted(patient(sentinels.url())));
  FleetNode b(authority.trusted(patient(sentinels.url())));
  ASSERT_TRUE(eventually([&] { return a.tier().remove(1).ok(); }));
  EXPECT_TRUE(b.hears_of(1));
  sentinels.server(0).kill();
  ASSERT_TRUE(eventually([&] { return sentinels.master() == 1 && a.tier().remove(2).ok(); }));
  ASSERT_TRUE(a.is_listening_again());
  ASSERT_TRUE(eventually([&] { return b.report().is_listening && b.report().losses > 0; }));
  ASSERT_TRUE(eventually([&] { return a.tier().remove(3).ok(); }));
  EXPECT_TRUE(b.hears_of(3));
}

TEST(RedisTlsSentinelTest, believes_no_sentinel_whose_certificate_it_does_not_trust) {
  Authority authority;
  RedisSentinels sentinels(authority.servers());
  Authority other;
  LiveTier tier(other.trusted(quick(sentinels.url())));
  ASSERT_TRUE(tier.event_told(TierEventKind::kConnectFailed));
  EXPECT_THAT(tier.last_event(TierEventKind::kConnectFailed),
              ::testing::AllOf(HasSubstr("certificate is refused"), HasSubstr("sentinel")));
  EXPECT_TRUE(eventually([&] { return tier.read(1) == "unavailable"; }));
}

TEST(RedisTlsSentinelTest, verifies_the_master_though_a_sentinel_names_it) {
  Authority authority;
  MutualTls tls = authority.servers();
  const Certificate right = tls.certificates.front();
  tls.certificates = {authority.issue("elsewhere", "DNS:elsewhere.example"), right};
  RedisSentinels sentinels(tls);
  LiveTier tier(authority.trusted(quick(sentinels.url())));
  ASSERT_TRUE(tier.event_told(TierEventKind::kConnectFailed));
  EXPECT_THAT(tier.last_event(TierEventKind::kConnectFailed),
              ::testing::AllOf(HasSubstr("certificate is refused"),
                               ::testing::Not(HasSubstr("(sentinel"))));
  // The replica shows the right one.
  sentinels.fail_over();
  EXPECT_TRUE(tier.becomes_available());
}

TEST(RedisTlsSentinelTest, is_shut_out_without_the_certificate_that_sentinels_ask_for) {
  Authority authority;
  RedisSentinels sentinels(authority.servers());
  L2Config config = authority.trusted(quick(sentinels.url()));
  config.tls_cert_file.clear();
  config.tls_key_file.clear();
  LiveTier tier(config);
  ASSERT_TRUE(tier.event_told(TierEventKind::kConnectFailed));
  EXPECT_TRUE(eventually([&] { return tier.read(1) == "unavailable"; }));
}

}  // namespace
}  // namespace llm_edge_cache::redis
