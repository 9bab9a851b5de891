// Lookups at the replica of a master that sentinels watch. In a cluster: redis_cluster_test.cpp.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/redis_sentinels.hpp"
#include "tests/unit/tiers/redis/fleet_node.hpp"
#include "tests/unit/tiers/redis/live_tier.hpp"
#include "tests/unit/tiers/redis/load.hpp"
#include "tests/unit/tiers/redis/mutual_tls.hpp"

namespace llm_edge_cache::redis {
namespace {

using test::eventually;
using test::RedisSentinels;
using test::RedisServer;

L2Config from_replica(L2Config config) {
  config.read_from = L2Config::ReadFrom::kReplica;
  return config;
}

int gets(RedisServer& server) {
  const std::string stats = server.command({"INFO", "commandstats"});
  const std::size_t at = stats.find("cmdstat_get:calls=");
  return at == std::string::npos ? 0 : std::stoi(stats.substr(at + 18));
}

// Until the sentinels have seen that the replica's link is up, and the tier has connected to it.
bool asks_replica(LiveTier& tier, RedisServer& replica) {
  return eventually([&] {
    const int before = gets(replica);
    (void)tier.read(999);
    return gets(replica) > before;
  });
}

// Leaves in the replica alone what the tier has stored under one key, as if it were late.
void leave_behind(RedisSentinels& sentinels, std::uint64_t number, const std::string& bytes) {
  RedisServer& replica = sentinels.server(1);
  ASSERT_EQ(replica.command({"CONFIG", "SET", "replica-read-only", "no"}), "OK");
  ASSERT_EQ(replica.command({"SET", stored_key(number), bytes}), "OK");
}

TEST(RedisReplicaReadsTest, lookups_go_to_the_replica_and_all_else_to_the_master) {
  RedisSentinels sentinels;
  RedisServer& replica = sentinels.server(1);
  LiveTier tier(from_replica(quick(sentinels.url())));
  ASSERT_TRUE(asks_replica(tier, replica));
  const int before = gets(sentinels.server(0));
  tier.put(1, "one");
  ASSERT_TRUE(tier.flush().ok());
  EXPECT_EQ(tier.read(1), "one");  // just written: asked at the master
  EXPECT_EQ(gets(sentinels.server(0)), before + 1);
  EXPECT_TRUE(tier.remove(1).value());
  EXPECT_EQ(tier.size().value(), 0U);
}

TEST(RedisReplicaReadsTest, what_others_wrote_is_found_at_the_replica) {
  RedisSentinels sentinels;
  RedisServer& replica = sentinels.server(1);
  LiveTier writer(quick(sentinels.url()));
  LiveTier reader(from_replica(quick(sentinels.url())));
  for (std::uint64_t i = 0; i < 50; ++i) writer.put(i, "value");
  ASSERT_TRUE(writer.flush().ok());
  ASSERT_TRUE(asks_replica(reader, replica));
  const int master_gets = gets(sentinels.server(0));
  for (std::uint64_t i = 0; i < 50; ++i) {
    EXPECT_TRUE(eventually([&] { return reader.read(i) == "value"; })) << i;
  }
  EXPECT_EQ(gets(sentinels.server(0)), master_gets);
}

// A late replica must not bring a purged answer back into any memory.
TEST(RedisReplicaReadsTest, nobody_gets_from_a_late_replica_what_was_removed) {
  RedisSentinels sentinels;
  RedisServer& replica = sentinels.server(1);
  FleetNode a(from_replica(quick(sentinels.url())));
  FleetNode b(from_replica(quick(sentinels.url())));
  a.tier().put(1, "one");
  ASSERT_TRUE(a.tier().flush().ok());
  ASSERT_TRUE(asks_replica(a.tier(), replica));
  ASSERT_TRUE(asks_replica(b.tier(), replica));
  const std::string bytes = replica.command({"GET", stored_key(1)});
  ASSERT_TRUE(a.tier().remove(1).ok());
  ASSERT_TRUE(b.hears_of(1));
  leave_behind(sentinels, 1, bytes);
  EXPECT_EQ(a.tier().read(1), "(none)");
  EXPECT_EQ(b.tier().read(1), "(none)");
  ASSERT_TRUE(a.tier().clear().ok());
  leave_behind(sentinels, 1, bytes);
  EXPECT_EQ(a.tier().read(1), "(none)");
  // Who has heard of no change takes what the replica has.
  LiveTier stranger(from_replica(quick(sentinels.url())));
  ASSERT_TRUE(asks_replica(stranger, replica));
  EXPECT_EQ(stranger.read(1), "one");
}

TEST(RedisReplicaReadsTest, the_master_answers_while_the_replica_is_away) {
  RedisSentinels sentinels;
  LiveTier tier(from_replica(impatient(sentinels.url())));
  ASSERT_TRUE(asks_replica(tier, sentinels.server(1)));
  sentinels.server(1).kill();
  const int before = gets(sentinels.server(0));
  EXPECT_TRUE(eventually([&] {
    (void)tier.read(1);
    return gets(sentinels.server(0)) > before;
  }));
  EXPECT_EQ(tier.read(1), "(none)");
  sentinels.server(1).restart();
  sentinels.server(1).command(
      {"REPLICAOF", "127.0.0.1", std::to_string(sentinels.server(0).port())});
  EXPECT_TRUE(asks_replica(tier, sentinels.server(1)));
}

TEST(RedisReplicaReadsTest, a_replica_that_is_cut_off_from_its_master_is_left) {
  RedisSentinels sentinels;
  LiveTier tier(from_replica(quick(sentinels.url())));
  ASSERT_TRUE(asks_replica(tier, sentinels.server(1)));
  // It goes on to answer, with what it had.
  sentinels.server(1).command({"REPLICAOF", "127.0.0.1", "1"});
  EXPECT_TRUE(eventually([&] {
    const int before = gets(sentinels.server(0));
    (void)tier.read(1);
    return gets(sentinels.server(0)) > before;
  }));
}

TEST(RedisReplicaReadsTest, a_replica_that_loads_its_data_sends_lookups_to_the_master) {
  RedisSentinels sentinels;
  RedisServer& replica = sentinels.server(1);
  LiveTier tier(from_replica(quick(sentinels.url())));
  LiveTier writer(quick(sentinels.url()));
  writer.put(1, "one");
  ASSERT_TRUE(writer.flush().ok());
  ASSERT_TRUE(asks_replica(tier, replica));
  // MASTERDOWN from here on, until the next look at its role.
  replica.command({"CONFIG", "SET", "replica-serve-stale-data", "no"});
  replica.command({"REPLICAOF", "127.0.0.1", "1"});
  for (int i = 0; i < 100; ++i) ASSERT_EQ(tier.read(1), "one");
  EXPECT_EQ(tier->counters().errors_protocol + tier->counters().errors_unavailable, 0U);
}

TEST(RedisReplicaReadsTest, survives_a_failover_under_load) {
  RedisSentinels sentinels;
  LiveTier tier(from_replica(impatient(sentinels.url())));
  ASSERT_TRUE(asks_replica(tier, sentinels.server(1)));
  Load load(tier.tier(), 4);
  ASSERT_TRUE(eventually([&] { return load.hits() > 100; }));
  sentinels.fail_over();
  EXPECT_TRUE(eventually([&] {
    tier.put(1, "after");
    return tier.flush().ok() && sentinels.server(1).command({"EXISTS", stored_key(1)}) == "1";
  }));
  EXPECT_TRUE(eventually([&] { return tier.read(1) == "after"; }));
  load.stop();
  EXPECT_EQ(load.wrong(), 0U);
  // The old master is a replica now, and asked as one.
  EXPECT_TRUE(asks_replica(tier, sentinels.server(0)));
}

TEST(RedisReplicaReadsTest, works_over_tls) {
  Authority authority;
  RedisSentinels sentinels(authority.servers());
  LiveTier tier(from_replica(authority.trusted(quick(sentinels.url()))));
  EXPECT_TRUE(asks_replica(tier, sentinels.server(1)));
}

}  // namespace
}  // namespace llm_edge_cache::redis
