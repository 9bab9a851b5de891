// A cluster whose nodes speak nothing but TLS, to their clients and to each other.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/redis_cluster.hpp"
#include "tests/unit/tiers/redis/fleet_node.hpp"
#include "tests/unit/tiers/redis/live_tier.hpp"
#include "tests/unit/tiers/redis/load.hpp"
#include "tests/unit/tiers/redis/mutual_tls.hpp"
#include "tiers/redis/key_slot.hpp"

namespace llm_edge_cache::redis {
namespace {

using test::Certificate;
using test::eventually;
using test::MutualTls;
using test::RedisCluster;
using ::testing::HasSubstr;

TEST(RedisTlsClusterTest, spreads_keys_over_all_primaries_and_finds_them_again) {
  Authority authority;
  RedisCluster cluster(authority.servers());
  ASSERT_THAT(cluster.url(), ::testing::StartsWith("rediss+cluster://"));
  LiveTier tier(authority.trusted(quick(cluster.url())));
  for (int i = 0; i < 300; ++i) tier.put(i, "value " + std::to_string(i));
  ASSERT_TRUE(tier.flush().ok());
  for (int i = 0; i < 300; ++i) ASSERT_EQ(tier.read(i), "value " + std::to_string(i));
  EXPECT_EQ(tier.size().value(), 300U);
  for (std::size_t node = 0; node < RedisCluster::kPrimaries; ++node) {
    EXPECT_GT(std::stoi(cluster.node(node).command({"DBSIZE"})), 50);
  }
  EXPECT_TRUE(tier.clear().ok());
  EXPECT_EQ(tier.size().value(), 0U);
}

TEST(RedisTlsClusterTest, follows_slots_that_move_under_load) {
  Authority authority;
  RedisCluster cluster(authority.servers());
  LiveTier tier(authority.trusted(quick(cluster.url())));
  ASSERT_TRUE(tier.becomes_available());
  Load load(tier.tier(), 4);
  for (std::uint64_t i = 0; i < 10; ++i) {
    const std::string key = stored_key(Load::kFirstKey + i);
    const std::size_t from = cluster.primary_of(key);
    cluster.move_slot(key_slot(key), from, (from + 1) % RedisCluster::kPrimaries);
  }
  const std::uint64_t before = load.hits();
  EXPECT_TRUE(eventually([&] { return load.hits() > before + 500; }));
  load.stop();
  EXPECT_EQ(load.errors(), 0U) << load.last_error();
  EXPECT_EQ(load.wrong(), 0U);
}

TEST(RedisTlsClusterTest, goes_on_with_the_replica_of_a_primary_that_dies_under_load) {
  Authority authority;
  RedisCluster cluster(authority.servers());
  L2Config config = authority.trusted(impatient(cluster.url()));
  config.operation_timeout_ms = 500;
  LiveTier tier(config);
  ASSERT_TRUE(tier.becomes_available());
  tier.put(7, "seven");
  ASSERT_TRUE(tier.flush().ok());
  const std::size_t primary = cluster.primary_of(stored_key(7));
  const std::size_t replica = cluster.replica_of(primary);
  ASSERT_TRUE(eventually([&] { return cluster.node(replica).command({"DBSIZE"}) != "0"; }));
  Load load(tier.tier(), 4);
  cluster.node(primary).kill();
  EXPECT_TRUE(eventually([&] { return tier.read(7) == "seven"; }));
  EXPECT_TRUE(cluster.is_primary(replica));
  EXPECT_TRUE(eventually([&] {
    tier.put(7, "again");
    return tier.read(7) == "again";
  }));
  load.stop();
  EXPECT_EQ(load.wrong(), 0U);
}

TEST(RedisTlsClusterTest, nodes_of_a_fleet_hear_of_each_other) {
  Authority authority;
  RedisCluster cluster(authority.servers());
  FleetNode a(authority.trusted(quick(cluster.url())));
  FleetNode b(authority.trusted(quick(cluster.url())));
  for (std::uint64_t i = 0; i < 10; ++i) {
    ASSERT_TRUE(a.tier().remove(i).ok());
    EXPECT_TRUE(b.hears_of(i));
  }
}

TEST(RedisTlsClusterTest, trusts_no_node_of_another_authority) {
  Authority authority;
  RedisCluster cluster(authority.servers());
  Authority other;
  LiveTier tier(other.trusted(quick(cluster.url())));
  ASSERT_TRUE(tier.event_told(TierEventKind::kConnectFailed));
  EXPECT_THAT(tier.last_event(TierEventKind::kConnectFailed), HasSubstr("certificate is refused"));
  EXPECT_TRUE(eventually([&] { return tier.read(1) == "unavailable"; }));
}

TEST(RedisTlsClusterTest, is_shut_out_without_the_certificate_that_the_nodes_ask_for) {
  Authority authority;
  RedisCluster cluster(authority.servers());
  L2Config config = authority.trusted(quick(cluster.url()));
  config.tls_cert_file.clear();
  config.tls_key_file.clear();
  LiveTier tier(config);
  ASSERT_TRUE(tier.event_told(TierEventKind::kConnectFailed));
  EXPECT_TRUE(eventually([&] { return tier.read(1) == "unavailable"; }));
}

TEST(RedisTlsClusterTest, verifies_the_nodes_that_it_learns_of_by_their_own_address) {
  Authority authority;
  MutualTls tls = authority.servers();
  // The second primary shows somebody else's; the bus of a cluster does not look at names.
  const Certificate right = tls.certificates.front();
  tls.certificates = {right, authority.issue("elsewhere", "DNS:elsewhere.example"), right};
  RedisCluster cluster(tls);
  LiveTier tier(authority.trusted(impatient(cluster.url())));
  ASSERT_TRUE(tier.event_told(TierEventKind::kConnectFailed));
  EXPECT_THAT(tier.last_event(TierEventKind::kConnectFailed), HasSubstr("certificate is refused"));
  for (std::uint64_t i = 0; i < 20; ++i) {
    const bool is_astray = cluster.primary_of(stored_key(i)) == 1;
    EXPECT_TRUE(eventually([&] { return tier.read(i) == (is_astray ? "unavailable" : "(none)"); }))
        << i;
  }
  EXPECT_EQ(cluster.node(1).command({"DBSIZE"}), "0");
}

TEST(RedisTlsClusterTest, one_name_stands_for_all_nodes_where_it_is_configured) {
  Authority authority;
  RedisCluster cluster(authority.servers("DNS:redis.example"));
  L2Config config = authority.trusted(quick(cluster.url()));
  {
    LiveTier tier(config);
    ASSERT_TRUE(tier.event_told(TierEventKind::kConnectFailed));
    EXPECT_THAT(tier.last_event(TierEventKind::kConnectFailed),
                HasSubstr("certificate is refused"));
  }
  config.tls_server_name = "redis.example";
  LiveTier tier(config);
  for (int i = 0; i < 30; ++i) tier.put(i, "value");
  ASSERT_TRUE(tier.flush().ok());
  for (int i = 0; i < 30; ++i) EXPECT_EQ(tier.read(i), "value");
}

}  // namespace
}  // namespace llm_edge_cache::redis
