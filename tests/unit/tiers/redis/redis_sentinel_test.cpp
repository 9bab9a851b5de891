// A master that changes, and sentinels that tell who it is.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/redis_sentinels.hpp"
#include "tests/unit/tiers/redis/configs.hpp"
#include "tests/unit/tiers/redis/live_tier.hpp"
#include "tests/unit/tiers/redis/load.hpp"

namespace llm_edge_cache::redis {
namespace {

using test::eventually;
using test::RedisSentinels;
using ::testing::HasSubstr;

TEST(RedisSentinelTest, follows_the_master_when_the_sentinels_fail_over_under_load) {
  RedisSentinels sentinels;
  LiveTier tier(impatient(sentinels.url()));
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

TEST(RedisSentinelTest, finds_the_new_master_when_the_old_one_is_killed) {
  RedisSentinels sentinels;
  LiveTier tier(impatient(sentinels.url()));
  ASSERT_TRUE(tier.becomes_available());
  sentinels.server(0).kill();
  EXPECT_TRUE(eventually([&] { return sentinels.master() == 1 && tier.check().ok(); }));
}

TEST(RedisSentinelTest, asks_the_others_where_a_sentinel_is_dead_or_frozen) {
  RedisSentinels sentinels;
  sentinels.sentinel(0).kill();
  sentinels.sentinel(1).freeze();
  LiveTier tier(impatient(sentinels.url()));
  EXPECT_TRUE(tier.becomes_available());
  sentinels.sentinel(1).thaw();
}

TEST(RedisSentinelTest, takes_no_replica_for_the_master) {
  RedisSentinels sentinels;
  LiveTier tier(impatient(sentinels.url()));
  ASSERT_TRUE(tier.becomes_available());
  // Behind the sentinels' back: they go on to name a server that is a replica now.
  sentinels.server(0).command({"REPLICAOF", "127.0.0.1", "1"});
  ASSERT_TRUE(eventually([&] {
    tier.put(1, "one");
    return !tier.last_event(TierEventKind::kConnectFailed).empty();
  }));
  EXPECT_THAT(tier.last_event(TierEventKind::kConnectFailed), HasSubstr("not the master"));
}

TEST(RedisSentinelTest, removes_at_the_next_master_what_the_last_one_refused) {
  RedisSentinels sentinels;
  sentinels.be_patient();
  LiveTier tier(impatient(sentinels.url()));
  ASSERT_TRUE(tier.becomes_available());
  tier.put(1, "one");
  ASSERT_TRUE(tier.flush().ok());
  test::RedisServer& server = sentinels.server(0);
  server.command({"REPLICAOF", "127.0.0.1", "1"});
  EXPECT_FALSE(tier.remove(1).ok());
  EXPECT_EQ(server.command({"EXISTS", stored_key(1)}), "1");
  server.command({"REPLICAOF", "NO", "ONE"});
  EXPECT_TRUE(eventually([&] { return server.command({"EXISTS", stored_key(1)}) == "0"; }));
}

TEST(RedisSentinelTest, says_when_the_sentinels_do_not_know_the_name) {
  RedisSentinels sentinels;
  std::string url = sentinels.url();
  LiveTier tier(impatient(url.substr(0, url.rfind('/')) + "/other"));
  ASSERT_TRUE(tier.event_told(TierEventKind::kConnectFailed));
  EXPECT_THAT(tier.last_event(TierEventKind::kConnectFailed),
              HasSubstr("does not know this master"));
}

TEST(RedisSentinelTest, logs_in_to_sentinels_by_their_own_password) {
  RedisSentinels sentinels({}, "s3ntinel");
  L2Config config = impatient(sentinels.url());
  {
    LiveTier tier(config);
    ASSERT_TRUE(tier.event_told(TierEventKind::kConnectFailed));
    EXPECT_THAT(tier.last_event(TierEventKind::kConnectFailed), HasSubstr("NOAUTH"));
  }
  config.sentinel_password = "s3ntinel";
  LiveTier tier(config);
  EXPECT_TRUE(tier.becomes_available());
}

}  // namespace
}  // namespace llm_edge_cache::redis
