// Processes on one store hear of each other's changes: over real servers, and over lost channels.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <string>
#include <vector>

#include "tests/support/redis_cluster.hpp"
#include "tests/support/redis_sentinels.hpp"
#include "tests/unit/tiers/redis/configs.hpp"
#include "tests/unit/tiers/redis/fleet_node.hpp"
#include "tiers/redis/fleet_message.hpp"

namespace llm_edge_cache::redis {
namespace {

using test::eventually;
using test::RedisServer;
using ::testing::HasSubstr;

constexpr const char* kChannel = "llm_cache:fleet/0";

TEST(RedisCoherenceTest, a_removal_is_heard_by_the_others_and_not_by_oneself) {
  RedisServer server;
  FleetNode a(quick(server.url()));
  FleetNode b(quick(server.url()));
  FleetNode c(quick(server.url()));
  ASSERT_TRUE(a.tier().remove(1).ok());
  const auto removed = std::chrono::steady_clock::now();
  EXPECT_TRUE(b.hears_of(1));
  EXPECT_TRUE(c.hears_of(1));
  const std::chrono::duration<double, std::micro> took = std::chrono::steady_clock::now() - removed;
  RecordProperty("removal_to_all_us", std::to_string(took.count()));
  EXPECT_EQ(b.report().received, 1U);
  // By its next message to itself it would have heard of the first.
  ASSERT_TRUE(b.tier().remove(2).ok());
  EXPECT_TRUE(a.hears_of(2));
  EXPECT_FALSE(a.listener().has_heard_of(1));
}

// Until then a lookup may have brought it back into this process's memory.
TEST(RedisCoherenceTest, a_removal_that_nobody_waited_for_any_more_ends_in_ones_own_memory) {
  RedisServer server;
  FleetNode a(impatient(server.url()));
  a.tier().put(1, "one");
  ASSERT_TRUE(a.tier().flush().ok());
  server.freeze();
  EXPECT_EQ(a.tier().read(2), "deadline_exceeded");
  EXPECT_EQ(a.tier().remove(1).error().code, ErrorCode::kUnavailable);
  EXPECT_FALSE(a.listener().was_overtaken(1));
  server.thaw();
  EXPECT_TRUE(eventually([&] { return a.listener().was_overtaken(1); }));
  EXPECT_EQ(server.command({"EXISTS", stored_key(1)}), "0");
}

TEST(RedisCoherenceTest, a_write_is_heard_once_the_store_has_it) {
  RedisServer server;
  FleetNode a(quick(server.url()));
  FleetNode b(quick(server.url()));
  a.tier().put(1, "one");
  ASSERT_TRUE(b.hears_of(1));
  EXPECT_EQ(b.tier().read(1), "one");
}

TEST(RedisCoherenceTest, a_clear_is_heard_as_all) {
  RedisServer server;
  FleetNode a(quick(server.url()));
  FleetNode b(quick(server.url()));
  const int before = b.listener().clears();
  ASSERT_TRUE(a.tier().clear().ok());
  EXPECT_TRUE(eventually([&] { return b.listener().clears() == before + 1; }));
}

TEST(RedisCoherenceTest, many_changes_share_a_few_messages) {
  RedisServer server;
  FleetNode a(quick(server.url()));
  FleetNode b(quick(server.url()));
  constexpr std::uint64_t kWrites = 5'000;
  for (std::uint64_t i = 0; i < kWrites; ++i) a.tier().put(i, "x");
  ASSERT_TRUE(eventually([&] { return b.listener().changes() == kWrites; }));
  EXPECT_LT(a.report().sent, kWrites);
  EXPECT_EQ(a.report().overflows, 0U);
}

TEST(RedisCoherenceTest, what_is_told_last_is_told_before_the_process_ends) {
  RedisServer server;
  FleetNode b(quick(server.url()));
  {
    FleetNode a(quick(server.url()));
    ASSERT_TRUE(a.tier().remove(1).ok());
  }
  EXPECT_TRUE(b.hears_of(1));
}

TEST(RedisCoherenceTest, other_prefixes_and_databases_are_other_fleets) {
  RedisServer server;
  FleetNode a(quick(server.url()));
  auto elsewhere = quick(server.url());
  elsewhere.key_prefix = "other:";
  FleetNode b(elsewhere);
  FleetNode c(quick(server.url() + "/1"));
  FleetNode d(quick(server.url()));
  ASSERT_TRUE(a.tier().remove(1).ok());
  ASSERT_TRUE(d.hears_of(1));
  EXPECT_EQ(server.command({"PUBSUB", "NUMSUB", kChannel}), std::string(kChannel) + " 2");
  EXPECT_EQ(b.report().received, 0U);
  EXPECT_EQ(c.report().received, 0U);
}

TEST(RedisCoherenceTest, foreign_bytes_on_the_channel_are_counted_and_do_no_harm) {
  RedisServer server;
  FleetNode a(quick(server.url()));
  server.command({"PUBLISH", kChannel, "anything"});
  EXPECT_TRUE(eventually([&] { return a.report().unreadable == 1; }));
  EXPECT_TRUE(a.report().is_listening);
  EXPECT_EQ(a.listener().changes(), 0U);
}

TEST(RedisCoherenceTest, memory_is_dropped_when_a_lost_channel_is_back) {
  RedisServer server;
  FleetNode a(quick(server.url()));
  const int before = a.listener().clears();
  server.command({"CLIENT", "KILL", "TYPE", "pubsub"});
  EXPECT_TRUE(eventually([&] { return a.listener().clears() == before + 1; }));
  EXPECT_TRUE(a.is_listening_again());
  EXPECT_EQ(a.report().losses, 1U);
}

TEST(RedisCoherenceTest, what_changed_while_the_teller_was_cut_off_is_told_later) {
  RedisServer server;
  FleetNode a(quick(server.url()));
  FleetNode b(quick(server.url()));
  server.command({"CLIENT", "KILL", "TYPE", "pubsub"});
  for (std::uint64_t i = 0; i < 20; ++i) ASSERT_TRUE(a.tier().remove(i).ok());
  // Those it heard, and those that the drop of everything stands for.
  EXPECT_TRUE(b.is_listening_again());
  ASSERT_TRUE(a.is_listening_again());
  ASSERT_TRUE(a.tier().remove(100).ok());
  EXPECT_TRUE(b.hears_of(100));
}

TEST(RedisCoherenceTest, a_frozen_server_is_noticed_and_the_channel_taken_up_again) {
  RedisServer server;
  FleetNode a(impatient(server.url()));
  FleetNode b(impatient(server.url()));
  const int before = a.listener().clears();
  server.freeze();
  EXPECT_TRUE(eventually([&] { return !a.report().is_listening; }));
  EXPECT_EQ(a.listener().clears(), before);  // memory goes on answering
  server.thaw();
  ASSERT_TRUE(a.is_listening_again());
  ASSERT_TRUE(b.is_listening_again());
  EXPECT_GT(a.listener().clears(), before);
  EXPECT_TRUE(eventually([&] { return b.tier().remove(1).ok(); }));
  EXPECT_TRUE(a.hears_of(1));
}

TEST(RedisCoherenceTest, a_server_that_starts_again_is_found_again) {
  RedisServer server;
  FleetNode a(quick(server.url()));
  FleetNode b(quick(server.url()));
  server.restart();
  EXPECT_TRUE(eventually([&] { return a.tier().remove(1).ok(); }));
  // b may have been away when that was told: its memory was dropped then.
  EXPECT_TRUE(eventually([&] { return b.report().losses == 1 && b.report().is_listening; }));
  EXPECT_TRUE(eventually([&] { return a.tier().remove(2).ok(); }));
  EXPECT_TRUE(b.hears_of(2));
}

TEST(RedisCoherenceTest, a_server_that_is_down_at_first_holds_nobody_up_for_long) {
  RedisServer server;
  server.stop();
  RecordingListener listener;
  LiveTier tier(quick(server.url()));
  tier.tier().fleet()->listen(listener);
  EXPECT_FALSE(tier.tier().fleet()->report().is_listening);
  server.restart();
  EXPECT_TRUE(eventually([&] { return tier.tier().fleet()->report().is_listening; }));
  EXPECT_EQ(listener.clears(), 1);
}

// Lookups and writes need no more rights than before.
TEST(RedisCoherenceTest, a_user_without_the_channel_s_rights_caches_all_the_same) {
  RedisServer server({.extra_args = {"--user", "alice", "on", ">pw", "~llm_cache:*",
                                     "resetchannels", "+@all", "-eval"}});
  RecordingListener listener;
  auto url = server.url();
  url.insert(url.find("//") + 2, "alice:pw@");
  LiveTier tier(quick(url));
  tier.tier().fleet()->listen(listener);
  ASSERT_TRUE(tier.event_told(TierEventKind::kConnectFailed));
  EXPECT_THAT(tier.last_event(TierEventKind::kConnectFailed), HasSubstr("SUBSCRIBE was refused"));
  ASSERT_TRUE(tier.becomes_available());
  for (std::uint64_t i = 0; i < 10; ++i) {
    std::promise<FlightTurn> turn;
    tier.tier().fleet()->take_turn(test::key_of(i),
                                   [&](FlightTurn come) { turn.set_value(std::move(come)); });
    EXPECT_EQ(turn.get_future().get().kind, FlightTurn::Kind::kAlone);
  }
  tier.put(1, "one");
  ASSERT_TRUE(tier.flush().ok());
  EXPECT_EQ(tier.read(1), "one");
}

TEST(RedisCoherenceTest, is_off_where_the_configuration_says_so) {
  RedisServer server;
  auto config = quick(server.url());
  config.coherence = false;
  FleetNode a(config);
  a.tier().put(1, "one");
  ASSERT_TRUE(a.tier().flush().ok());
  EXPECT_FALSE(a.report().has_channel);
  EXPECT_EQ(server.command({"PUBSUB", "CHANNELS"}), "");
}

// Of the cluster's nodes, each by how many of the fleet subscribe there.
std::vector<int> subscribers(test::RedisCluster& cluster) {
  std::vector<int> counts;
  for (std::size_t i = 0; i < cluster.size(); ++i) {
    const std::string answer = cluster.node(i).command({"PUBSUB", "NUMSUB", kChannel});
    counts.push_back(std::stoi(answer.substr(answer.find(' '))));
  }
  return counts;
}

TEST(RedisClusterCoherenceTest, a_fleet_meets_at_one_node_whatever_its_seeds) {
  test::RedisCluster cluster;
  const auto seeded = [&](std::size_t node) {
    return quick("redis+cluster://127.0.0.1:" + std::to_string(cluster.node(node).port()));
  };
  FleetNode a(seeded(0));
  FleetNode b(seeded(1));
  FleetNode c(seeded(5));
  EXPECT_TRUE(eventually([&] {
    const std::vector<int> counts = subscribers(cluster);
    return std::count(counts.begin(), counts.end(), 3) == 1 &&
           std::count(counts.begin(), counts.end(), 0) == 5;
  }));
  // At its first attempt: none has dropped its memory to get there.
  for (FleetNode* node : {&a, &b, &c}) {
    EXPECT_EQ(node->report().losses, 0U);
    EXPECT_EQ(node->listener().clears(), 1);
  }
  ASSERT_TRUE(c.tier().remove(1).ok());
  EXPECT_TRUE(a.hears_of(1));
  EXPECT_TRUE(b.hears_of(1));
}

TEST(RedisClusterCoherenceTest, the_bus_carries_news_to_who_is_connected_elsewhere) {
  test::RedisCluster cluster;
  FleetNode a(quick(cluster.url()));
  const std::array keys{test::key_of(1)};
  const std::string news = encode_fleet_message(make_node_id(), FleetMessage::Kind::kChanged, keys);
  for (std::size_t i = 0; i < cluster.size(); ++i) {
    cluster.node(i).command({"PUBLISH", kChannel, news});
  }
  EXPECT_TRUE(a.hears_of(1));
  EXPECT_TRUE(eventually([&] { return a.report().received >= cluster.size(); }));
}

TEST(RedisClusterCoherenceTest, nodes_hear_of_each_other) {
  test::RedisCluster cluster;
  FleetNode a(quick(cluster.url()));
  FleetNode b(quick(cluster.url()));
  FleetNode c(quick(cluster.url()));
  for (std::uint64_t i = 0; i < 30; ++i) ASSERT_TRUE(a.tier().remove(i).ok());
  for (std::uint64_t i = 0; i < 30; ++i) {
    EXPECT_TRUE(b.hears_of(i));
    EXPECT_TRUE(c.hears_of(i));
  }
}

TEST(RedisClusterCoherenceTest, another_node_carries_the_channel_when_one_dies) {
  test::RedisCluster cluster;
  FleetNode a(impatient(cluster.url()));
  FleetNode b(impatient(cluster.url()));
  const std::vector<int> counts = subscribers(cluster);
  const auto carrier = std::max_element(counts.begin(), counts.end()) - counts.begin();
  cluster.node(static_cast<std::size_t>(carrier)).kill();
  ASSERT_TRUE(eventually(
      [&] { return cluster.is_primary(3) || cluster.is_primary(4) || cluster.is_primary(5); }));
  std::uint64_t number = 1'000;
  EXPECT_TRUE(eventually([&] {
    ++number;
    return a.tier().remove(number).ok() && a.report().is_listening && b.report().is_listening;
  }));
  EXPECT_TRUE(eventually([&] {
    ++number;
    return a.tier().remove(number).ok() &&
           eventually([&] { return b.listener().has_heard_of(number); },
                      std::chrono::milliseconds{200});
  }));
}

TEST(RedisSentinelCoherenceTest, the_channel_follows_the_master) {
  test::RedisSentinels sentinels;
  FleetNode a(impatient(sentinels.url()));
  FleetNode b(impatient(sentinels.url()));
  ASSERT_TRUE(eventually([&] { return a.tier().remove(1).ok(); }));
  EXPECT_TRUE(b.hears_of(1));
  sentinels.server(0).kill();
  ASSERT_TRUE(eventually([&] { return sentinels.master() == 1 && a.tier().remove(2).ok(); }));
  ASSERT_TRUE(a.is_listening_again());
  ASSERT_TRUE(eventually([&] { return b.report().is_listening && b.report().losses > 0; }));
  ASSERT_TRUE(eventually([&] { return a.tier().remove(3).ok(); }));
  EXPECT_TRUE(b.hears_of(3));
}

}  // namespace
}  // namespace llm_edge_cache::redis
