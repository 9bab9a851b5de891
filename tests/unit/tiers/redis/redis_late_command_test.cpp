// A command that a frozen server has not read yet must not run after what was said later.
#include <gtest/gtest.h>

#include "tests/support/redis_server.hpp"
#include "tests/unit/tiers/redis/configs.hpp"
#include "tests/unit/tiers/redis/live_tier.hpp"

namespace llm_edge_cache::redis {
namespace {

using test::eventually;
using test::RedisServer;

// A write that lies unread in the frozen server when its connection is given up.
void write_into_the_ice(LiveTier& tier, RedisServer& server, std::uint64_t number) {
  server.freeze();
  tier.put(number, "late");
  ASSERT_TRUE(eventually([&] { return tier->counters().dropped_writes > 0; }));
  ASSERT_TRUE(tier.event_told(TierEventKind::kConnectionLost));
}

TEST(RedisLateCommandTest, ends_the_connection_it_gave_up_before_it_says_anything_else) {
  for (int round = 0; round < 5; ++round) {
    RedisServer server;
    LiveTier tier(impatient(server.url()));
    ASSERT_TRUE(tier.becomes_available());
    write_into_the_ice(tier, server, 1);
    server.thaw();
    ASSERT_TRUE(tier.becomes_available());
    // Whether the late write ran before the connection was ended is the server's choice; from now
    // on it cannot.
    ASSERT_TRUE(tier.remove(1).ok());
    ASSERT_TRUE(tier.check().ok());
    EXPECT_EQ(tier.read(1), "(none)");
    EXPECT_EQ(server.command({"EXISTS", stored_key(1)}), "0");
    // One connection of the tier's, and the test's own.
    const std::string clients = server.command({"INFO", "clients"});
    EXPECT_NE(clients.find("connected_clients:2"), std::string::npos) << clients;
  }
}

// The server holds writes back, and forgets the one whose connection goes.
TEST(RedisLateCommandTest, removes_later_what_was_on_the_wire_when_its_connection_was_given_up) {
  RedisServer server;
  LiveTier tier(impatient(server.url()));
  ASSERT_TRUE(tier.becomes_available());
  tier.put(1, "one");
  ASSERT_TRUE(tier.flush().ok());
  server.command({"CLIENT", "PAUSE", "600000", "WRITE"});
  EXPECT_EQ(tier.remove(1).error().code, ErrorCode::kDeadlineExceeded);
  ASSERT_TRUE(tier.event_told(TierEventKind::kConnectionLost));
  server.command({"CLIENT", "UNPAUSE"});
  EXPECT_TRUE(eventually([&] { return server.command({"EXISTS", stored_key(1)}) == "0"; }));
  EXPECT_TRUE(tier.becomes_available());
}

TEST(RedisLateCommandTest, leaves_nothing_behind_a_clear) {
  RedisServer server;
  LiveTier tier(impatient(server.url()));
  ASSERT_TRUE(tier.becomes_available());
  write_into_the_ice(tier, server, 1);
  server.thaw();
  ASSERT_TRUE(tier.becomes_available());
  ASSERT_TRUE(tier.clear().ok());
  EXPECT_EQ(tier.size().value(), 0U);
  EXPECT_EQ(server.command({"DBSIZE"}), "0");
}

TEST(RedisLateCommandTest, does_without_where_the_user_may_not_use_client_commands) {
  RedisServer server;
  server.command({"ACL", "SETUSER", "alice", "on", ">pw", "~*", "+@all", "-client"});
  const std::string address = "127.0.0.1:" + std::to_string(server.port());
  LiveTier tier(impatient("redis://alice:pw@" + address));
  ASSERT_TRUE(tier.becomes_available());
  tier.put(1, "one");
  ASSERT_TRUE(tier.flush().ok());
  EXPECT_EQ(tier.read(1), "one");
}

}  // namespace
}  // namespace llm_edge_cache::redis
