// A cluster of six real servers, while it changes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/free_port.hpp"
#include "tests/support/redis_cluster.hpp"
#include "tests/unit/tiers/redis/configs.hpp"
#include "tests/unit/tiers/redis/live_tier.hpp"
#include "tests/unit/tiers/redis/load.hpp"
#include "tiers/redis/key_slot.hpp"

namespace llm_edge_cache::redis {
namespace {

using test::eventually;
using test::RedisCluster;
using ::testing::HasSubstr;

int slot_of(std::uint64_t number) {
  return key_slot(stored_key(number));
}

TEST(RedisClusterTest, spreads_keys_over_all_primaries_and_finds_them_again) {
  RedisCluster cluster;
  LiveTier tier(quick(cluster.url()));
  for (int i = 0; i < 300; ++i) tier.put(i, "value " + std::to_string(i));
  ASSERT_TRUE(tier.flush().ok());
  for (int i = 0; i < 300; ++i) ASSERT_EQ(tier.read(i), "value " + std::to_string(i));
  EXPECT_EQ(tier.size().value(), 300U);
  for (std::size_t node = 0; node < 3; ++node) {
    EXPECT_GT(std::stoi(cluster.node(node).command({"DBSIZE"})), 50);
  }
  EXPECT_TRUE(tier.clear().ok());
  EXPECT_EQ(tier.size().value(), 0U);
  EXPECT_EQ(tier->counters().removals, 300U);
}

TEST(RedisClusterTest, finds_the_cluster_by_any_seed_that_answers) {
  RedisCluster cluster;
  const std::string dead = "127.0.0.1:" + std::to_string(test::free_port());
  const std::string alive = "127.0.0.1:" + std::to_string(cluster.node(4).port());
  LiveTier tier(quick("redis+cluster://" + dead + "," + alive));
  tier.put(1, "one");
  ASSERT_TRUE(tier.flush().ok());
  EXPECT_EQ(tier.read(1), "one");
}

// The map of the slots comes from a node that serves none of them, before any other is connected
// to.
TEST(RedisClusterTest, turns_nothing_away_at_first_though_its_seed_is_a_replica) {
  RedisCluster cluster;
  const std::string replica = "127.0.0.1:" + std::to_string(cluster.node(4).port());
  for (int round = 0; round < 10; ++round) {
    LiveTier checked(quick("redis+cluster://" + replica));
    EXPECT_TRUE(checked.check().ok());
    LiveTier counted(quick("redis+cluster://" + replica));
    EXPECT_TRUE(counted.size().ok());
    LiveTier cleared(quick("redis+cluster://" + replica));
    EXPECT_TRUE(cleared.clear().ok());
  }
}

TEST(RedisClusterTest, says_that_a_single_server_is_no_cluster) {
  test::RedisServer server;
  LiveTier tier(impatient("redis+cluster://127.0.0.1:" + std::to_string(server.port())));
  ASSERT_TRUE(tier.event_told(TierEventKind::kConnectFailed));
  EXPECT_THAT(tier.last_event(TierEventKind::kConnectFailed),
              HasSubstr("cluster support disabled"));
  EXPECT_TRUE(eventually([&] { return tier.read(1) == "unavailable"; }));
}

TEST(RedisClusterTest, follows_slots_that_move_under_load) {
  RedisCluster cluster;
  LiveTier tier(quick(cluster.url()));
  ASSERT_TRUE(tier.becomes_available());
  Load load(tier.tier(), 4);
  for (std::uint64_t i = 0; i < 40; ++i) {
    const std::uint64_t number = Load::kFirstKey + i;
    const std::size_t from = cluster.primary_of(stored_key(number));
    cluster.move_slot(slot_of(number), from, (from + 1) % RedisCluster::kPrimaries);
  }
  const std::uint64_t before = load.hits();
  EXPECT_TRUE(eventually([&] { return load.hits() > before + 500; }));
  load.stop();
  EXPECT_EQ(load.errors(), 0U) << load.last_error();
  EXPECT_EQ(load.wrong(), 0U);
  EXPECT_TRUE(tier.flush().ok());
  EXPECT_EQ(tier->counters().dropped_writes, 0U);
}

TEST(RedisClusterTest, removes_what_it_wrote_before_though_the_slot_moves) {
  RedisCluster cluster;
  LiveTier tier(quick(cluster.url()));
  ASSERT_TRUE(tier.becomes_available());
  for (std::uint64_t i = 0; i < 30; ++i) {
    const std::size_t from = cluster.primary_of(stored_key(i));
    cluster.move_slot(slot_of(i), from, (from + 1) % RedisCluster::kPrimaries);
    for (int round = 0; round < 5; ++round) tier.put(i, "round " + std::to_string(round));
    const Result<bool> removed = tier.remove(i);
    ASSERT_TRUE(removed.ok()) << removed.error().message;
    EXPECT_TRUE(*removed);
    EXPECT_EQ(tier.read(i), "(none)");
  }
}

TEST(RedisClusterTest, asks_the_importing_node_for_what_is_there_already) {
  RedisCluster cluster;
  LiveTier tier(quick(cluster.url()));
  tier.put(1, "one");
  ASSERT_TRUE(tier.flush().ok());
  const std::size_t from = cluster.primary_of(stored_key(1));
  const std::size_t to = (from + 1) % RedisCluster::kPrimaries;
  cluster.begin_move(slot_of(1), from, to);
  cluster.move_keys(slot_of(1), from, to);
  EXPECT_EQ(tier.read(1), "one");
  tier.put(1, "two");
  ASSERT_TRUE(tier.flush().ok());
  EXPECT_EQ(tier.read(1), "two");
  EXPECT_TRUE(tier.remove(1).value());
  EXPECT_EQ(tier.read(1), "(none)");
  cluster.end_move(slot_of(1), from, to);
  EXPECT_EQ(tier.read(1), "(none)");
}

// The slot goes to another while a write to its node waits for that to come back.
TEST(RedisClusterTest, lets_no_removal_wait_for_a_frozen_node_beyond_its_deadline) {
  RedisCluster cluster;
  cluster.be_patient();
  LiveTier tier(impatient(cluster.url()));
  ASSERT_TRUE(tier.becomes_available());
  tier.put(1, "one");
  ASSERT_TRUE(tier.flush().ok());
  const std::size_t from = cluster.primary_of(stored_key(1));
  const std::size_t to = (from + 1) % RedisCluster::kPrimaries;
  const std::size_t third = (from + 2) % RedisCluster::kPrimaries;
  const std::string slot = std::to_string(slot_of(1));
  const std::string from_id = cluster.node(from).command({"CLUSTER", "MYID"});
  const std::string to_id = cluster.node(to).command({"CLUSTER", "MYID"});
  cluster.node(from).freeze();
  tier.put(1, "two");
  ASSERT_TRUE(eventually([&] { return tier->counters().dropped_writes == 1; }));
  tier.put(1, "three");
  cluster.node(to).command({"CLUSTER", "SETSLOT", slot, "IMPORTING", from_id});
  for (const std::size_t node : {to, third}) {
    ASSERT_EQ(cluster.node(node).command({"CLUSTER", "SETSLOT", slot, "NODE", to_id}), "OK");
  }
  ASSERT_TRUE(eventually([&] { return tier.read(1) == "(none)"; }));
  EXPECT_EQ(tier.remove(1).error().code, ErrorCode::kDeadlineExceeded);
  cluster.node(from).thaw();
  EXPECT_TRUE(eventually([&] { return tier->gauges().pending_writes == 0; }));
  EXPECT_EQ(tier.read(1), "(none)");
}

TEST(RedisClusterTest, loses_no_lookup_when_a_replica_takes_over_from_a_living_primary) {
  RedisCluster cluster;
  LiveTier tier(quick(cluster.url()));
  ASSERT_TRUE(tier.becomes_available());
  Load load(tier.tier(), 4);
  ASSERT_TRUE(eventually([&] { return load.hits() > 500; }));
  cluster.fail_over_to(cluster.replica_of(0));
  const std::uint64_t before = load.hits();
  EXPECT_TRUE(eventually([&] { return load.hits() > before + 2'000; }));
  load.stop();
  EXPECT_EQ(load.errors(), 0U) << load.last_error();
  EXPECT_EQ(load.wrong(), 0U);
}

TEST(RedisClusterTest, goes_on_with_the_replica_of_a_primary_that_dies_under_load) {
  RedisCluster cluster;
  LiveTier tier(impatient(cluster.url()));
  ASSERT_TRUE(tier.becomes_available());
  const std::uint64_t number = 7;
  tier.put(number, "seven");
  ASSERT_TRUE(tier.flush().ok());
  const std::size_t primary = cluster.primary_of(stored_key(number));
  const std::size_t replica = cluster.replica_of(primary);
  ASSERT_TRUE(eventually([&] { return cluster.node(replica).command({"DBSIZE"}) != "0"; }));
  Load load(tier.tier(), 4);
  cluster.node(primary).kill();
  EXPECT_TRUE(eventually([&] { return tier.read(number) == "seven"; }));
  // A write on the way while the cluster changes may be lost, and counted.
  EXPECT_TRUE(eventually([&] {
    tier.put(number, "again");
    return tier.read(number) == "again";
  }));
  load.stop();
  EXPECT_GT(load.answered(), 0U);
  EXPECT_EQ(load.wrong(), 0U);
}

TEST(RedisClusterTest, costs_each_caller_two_deadlines_at_most_when_a_primary_freezes) {
  RedisCluster cluster;
  L2Config config = impatient(cluster.url());
  config.operation_timeout_ms = 500;  // so that a busy machine exceeds none
  LiveTier tier(config);
  ASSERT_TRUE(tier.becomes_available());
  const std::size_t primary = cluster.primary_of(stored_key(7));
  const std::size_t replica = cluster.replica_of(primary);
  Load load(tier.tier(), 4);
  ASSERT_TRUE(eventually([&] { return load.hits() > 100; }));
  cluster.node(primary).freeze();
  ASSERT_TRUE(eventually([&] { return cluster.is_primary(replica); }));
  EXPECT_TRUE(eventually([&] { return tier.read(7) == "(none)"; }));
  load.stop();
  EXPECT_LE(load.most_timeouts(), 2U);
  EXPECT_EQ(load.wrong(), 0U);
  cluster.node(primary).thaw();
}

TEST(RedisClusterTest, reads_from_replicas_where_it_is_told_to) {
  RedisCluster cluster;
  ASSERT_TRUE(eventually([&] { return cluster.tells_replicas(); }));
  L2Config config = quick(cluster.url());
  config.read_from = L2Config::ReadFrom::kReplica;
  LiveTier tier(config);
  for (int i = 0; i < 100; ++i) tier.put(i, "value");
  ASSERT_TRUE(tier.flush().ok());
  const auto replica_gets = [&] {
    int gets = 0;
    for (std::size_t i = 0; i < cluster.size(); ++i) {
      if (cluster.is_primary(i)) continue;
      const std::string stats = cluster.node(i).command({"INFO", "commandstats"});
      const std::size_t at = stats.find("cmdstat_get:calls=");
      if (at != std::string::npos) gets += std::stoi(stats.substr(at + 18));
    }
    return gets;
  };
  EXPECT_TRUE(eventually([&] { return tier.read(1) == "value" && replica_gets() > 0; }));
  for (int i = 0; i < 100; ++i) {
    EXPECT_TRUE(eventually([&] { return tier.read(i) == "value"; })) << i;
  }
  EXPECT_GE(replica_gets(), 90);
}

TEST(RedisClusterTest, reads_from_the_primary_while_a_replica_is_away) {
  RedisCluster cluster;
  ASSERT_TRUE(eventually([&] { return cluster.tells_replicas(); }));
  L2Config config = impatient(cluster.url());
  config.read_from = L2Config::ReadFrom::kReplica;
  LiveTier tier(config);
  for (int i = 0; i < 100; ++i) tier.put(i, "value");
  ASSERT_TRUE(tier.flush().ok());
  for (std::size_t i = 0; i < cluster.size(); ++i) {
    if (!cluster.is_primary(i)) cluster.node(i).kill();
  }
  for (int i = 0; i < 100; ++i) {
    EXPECT_TRUE(eventually([&] { return tier.read(i) == "value"; })) << i;
  }
}

TEST(RedisClusterTest, is_turned_away_at_once_when_all_nodes_are_gone) {
  RedisCluster cluster;
  LiveTier tier(impatient(cluster.url()));
  ASSERT_TRUE(tier.becomes_available());
  for (std::size_t i = 0; i < cluster.size(); ++i) cluster.node(i).kill();
  EXPECT_TRUE(eventually([&] { return tier.read(1) == "unavailable"; }));
  const std::uint64_t timeouts = tier->counters().errors_timeout;
  for (int i = 0; i < 1'000; ++i) EXPECT_EQ(tier.read(i), "unavailable");
  EXPECT_EQ(tier->counters().errors_timeout, timeouts);
  EXPECT_FALSE(tier.check().ok());
}

}  // namespace
}  // namespace llm_edge_cache::redis
