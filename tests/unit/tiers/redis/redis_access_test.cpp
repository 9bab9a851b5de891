// A user who may do what docs/guide.md says a user of ours needs, and nothing else.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/redis_cluster.hpp"
#include "tests/support/redis_sentinels.hpp"
#include "tests/unit/tiers/redis/configs.hpp"
#include "tests/unit/tiers/redis/fleet_node.hpp"
#include "tiers/redis/key_slot.hpp"

namespace llm_edge_cache::redis {
namespace {

using test::eventually;
using test::RedisServer;

void admit_alice(RedisServer& server, const std::vector<std::string>& more_rights) {
  std::vector<std::string> command = {
      "ACL",      "SETUSER",      "alice",        "reset",         "on",
      ">pw",      "~llm_cache:*", "-@all",        "resetchannels", "&llm_cache:fleet/*",
      "+get",     "+set",         "+unlink",      "+scan",         "+ping",
      "+select",  "+client|info", "+client|kill", "+hello",        "+subscribe",
      "+publish", "+eval",        "+pexpire"};
  command.insert(command.end(), more_rights.begin(), more_rights.end());
  ASSERT_EQ(server.command(command), "OK");
}

L2Config as_alice(std::string url) {
  url.insert(url.find("//") + 2, "alice:pw@");
  return quick(url);
}

// Everything that a tier does.
void expect_all_works(const L2Config& config) {
  FleetNode a(config);
  FleetNode b(config);
  for (std::uint64_t i = 0; i < 20; ++i) a.tier().put(i, "value");
  ASSERT_TRUE(a.tier().flush().ok());
  for (std::uint64_t i = 0; i < 20; ++i) {
    EXPECT_TRUE(eventually([&] { return b.tier().read(i) == "value"; })) << i;
  }
  EXPECT_TRUE(a.tier().remove(1).value());
  EXPECT_TRUE(b.hears_of(1));
  EXPECT_EQ(a.tier().size().value(), 19U);
  FlightTurn turn = a.turn(100);
  ASSERT_EQ(turn.kind, FlightTurn::Kind::kLease);
  a.put(100, "under a lease", std::move(turn.lease));
  EXPECT_TRUE(b.hears_of(100));
  EXPECT_EQ(b.turn(101).kind, FlightTurn::Kind::kLease);  // and gives it back
  ASSERT_TRUE(a.tier().clear().ok());
  EXPECT_EQ(b.tier().size().value(), 0U);
  for (FleetNode* node : {&a, &b}) {
    EXPECT_EQ(node->tier()->counters().errors_protocol, 0U);
    EXPECT_EQ(node->tier().last_event(TierEventKind::kStoreError), "");
    EXPECT_EQ(node->tier().last_event(TierEventKind::kConnectFailed), "");
  }
}

TEST(RedisAccessTest, a_server_needs_no_more_rights_than_are_documented) {
  RedisServer server;
  admit_alice(server, {});
  expect_all_works(as_alice(server.url() + "/3"));
  EXPECT_EQ(server.command({"DBSIZE"}), "0");  // of database 0
}

TEST(RedisAccessTest, sentinels_need_role_besides) {
  test::RedisSentinels sentinels;
  for (std::size_t i = 0; i < 2; ++i) admit_alice(sentinels.server(i), {"+role"});
  L2Config config = as_alice(sentinels.url() + "/3");
  expect_all_works(config);
  config.read_from = L2Config::ReadFrom::kReplica;
  expect_all_works(config);
}

TEST(RedisAccessTest, a_cluster_needs_its_map_and_asking_and_readonly_besides) {
  test::RedisCluster cluster;
  ASSERT_TRUE(eventually([&] { return cluster.tells_replicas(); }));
  for (std::size_t i = 0; i < cluster.size(); ++i) {
    admit_alice(cluster.node(i), {"+cluster|slots", "+asking", "+readonly"});
  }
  L2Config config = as_alice(cluster.url());
  expect_all_works(config);
  LiveTier tier(config);
  tier.put(1, "one");
  ASSERT_TRUE(tier.flush().ok());
  const int slot = key_slot(stored_key(1));
  const std::size_t from = cluster.primary_of(stored_key(1));
  cluster.begin_move(slot, from, (from + 1) % test::RedisCluster::kPrimaries);
  cluster.move_keys(slot, from, (from + 1) % test::RedisCluster::kPrimaries);
  EXPECT_EQ(tier.read(1), "one");
  cluster.end_move(slot, from, (from + 1) % test::RedisCluster::kPrimaries);
  ASSERT_TRUE(tier.clear().ok());
  config.read_from = L2Config::ReadFrom::kReplica;
  expect_all_works(config);
}

}  // namespace
}  // namespace llm_edge_cache::redis
