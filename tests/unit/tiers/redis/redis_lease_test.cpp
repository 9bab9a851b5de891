// One flight for all processes on one store: over real servers.
#include <gtest/gtest.h>

#include "tests/support/redis_cluster.hpp"
#include "tests/unit/tiers/redis/configs.hpp"
#include "tests/unit/tiers/redis/fleet_node.hpp"

namespace llm_edge_cache::redis {
namespace {

using test::eventually;
using test::RedisServer;
using Kind = FlightTurn::Kind;

std::string lease_of(std::uint64_t number) {
  return "llm_cache:lease:{" + stored_key(number) + "}";
}

class RedisLeaseTest : public ::testing::Test {
 protected:
  [[nodiscard]] static bool waits(FleetNode& node, std::uint64_t so_many = 1) {
    return eventually([&] { return node.report().waits == so_many; });
  }

  RedisServer server_;
  FleetNode a_{quick(server_.url())};
  FleetNode b_{quick(server_.url())};
};

TEST_F(RedisLeaseTest, the_first_flies_and_the_others_find_its_answer) {
  auto lease = a_.turn(1);
  ASSERT_EQ(lease.kind, Kind::kLease);
  auto waiting = b_.take_turn(1);
  ASSERT_TRUE(waits(b_));
  a_.put(1, "answer", std::move(lease.lease));
  EXPECT_EQ(FleetNode::come(std::move(waiting)).kind, Kind::kLanded);
  EXPECT_EQ(b_.tier().read(1), "answer");
  EXPECT_EQ(server_.command({"EXISTS", lease_of(1)}), "0");
  EXPECT_EQ(b_.report().waits_landed, 1U);
}

TEST_F(RedisLeaseTest, different_questions_do_not_wait_for_each_other) {
  const auto one = a_.turn(1);
  EXPECT_EQ(b_.turn(2).kind, Kind::kLease);
}

TEST_F(RedisLeaseTest, those_who_wait_are_told_at_once_that_no_answer_will_come) {
  auto lease = a_.turn(1);
  auto waiting = b_.take_turn(1);
  ASSERT_TRUE(waits(b_));
  lease.lease.reset();
  EXPECT_EQ(FleetNode::come(std::move(waiting)).kind, Kind::kAlone);
}

TEST_F(RedisLeaseTest, those_who_wait_are_told_where_the_answer_was_there_already) {
  auto lease = a_.turn(1);
  auto waiting = b_.take_turn(1);
  ASSERT_TRUE(waits(b_));
  lease.lease->note_landed();
  lease.lease.reset();
  EXPECT_EQ(FleetNode::come(std::move(waiting)).kind, Kind::kLanded);
}

TEST_F(RedisLeaseTest, a_lease_that_another_took_over_neither_writes_nor_speaks) {
  auto old_lease = a_.turn(1);
  server_.command({"DEL", lease_of(1)});  // as if it had expired
  auto new_lease = b_.turn(1);
  ASSERT_EQ(new_lease.kind, Kind::kLease);
  a_.put(1, "late", std::move(old_lease.lease));
  ASSERT_TRUE(eventually([&] { return a_.report().superseded == 1; }));
  EXPECT_TRUE(a_.listener().was_overtaken(1));  // its memory must not keep it
  EXPECT_EQ(b_.tier().read(1), "(none)");
  EXPECT_EQ(server_.command({"EXISTS", lease_of(1)}), "1");
  b_.put(1, "new", std::move(new_lease.lease));
  EXPECT_TRUE(eventually([&] { return a_.tier().read(1) == "new"; }));
}

TEST_F(RedisLeaseTest, a_removal_ends_the_lease_of_what_was_asked_before_it) {
  auto old_lease = a_.turn(1);
  auto waiting = b_.take_turn(1);
  ASSERT_TRUE(waits(b_));
  EXPECT_FALSE(b_.tier().remove(1).value());  // a lease is no entry
  auto new_lease = FleetNode::come(std::move(waiting));
  ASSERT_EQ(new_lease.kind, Kind::kLease);
  a_.put(1, "asked before", std::move(old_lease.lease));
  ASSERT_TRUE(eventually([&] { return a_.report().superseded == 1; }));
  b_.put(1, "asked after", std::move(new_lease.lease));
  EXPECT_TRUE(eventually([&] { return a_.tier().read(1) == "asked after"; }));
}

TEST_F(RedisLeaseTest, a_holder_that_died_is_followed_by_one_who_waited) {
  const auto lease = a_.turn(1);
  auto waiting = b_.take_turn(1);
  ASSERT_TRUE(waits(b_));
  server_.command({"DEL", lease_of(1)});  // its time was over
  const auto turn = FleetNode::come(std::move(waiting));
  EXPECT_EQ(turn.kind, Kind::kLease);
  EXPECT_EQ(b_.report().takeovers, 1U);
}

TEST_F(RedisLeaseTest, two_flights_of_one_process_share_too) {
  auto lease = a_.turn(1);
  auto waiting = a_.take_turn(1);
  ASSERT_TRUE(waits(a_));
  a_.put(1, "answer", std::move(lease.lease));
  EXPECT_EQ(FleetNode::come(std::move(waiting)).kind, Kind::kLanded);
}

TEST_F(RedisLeaseTest, leases_do_not_count_as_entries_and_end_with_a_clear) {
  const auto lease = a_.turn(1);
  b_.tier().put(2, "two");
  ASSERT_TRUE(b_.tier().flush().ok());
  EXPECT_EQ(b_.tier().size().value(), 1U);
  ASSERT_TRUE(b_.tier().clear().ok());
  EXPECT_EQ(server_.command({"DBSIZE"}), "0");
}

TEST_F(RedisLeaseTest, whoever_waits_goes_alone_when_the_store_dies) {
  const auto lease = a_.turn(1);
  auto waiting = b_.take_turn(1);
  ASSERT_TRUE(waits(b_));
  server_.kill();
  EXPECT_EQ(FleetNode::come(std::move(waiting)).kind, Kind::kAlone);
  EXPECT_EQ(b_.turn(2).kind, Kind::kAlone);
}

TEST(RedisLeaseOptionsTest, a_short_lease_outlives_its_time_while_it_is_held) {
  RedisServer server;
  auto config = quick(server.url());
  config.flight_lease_ms = 300;
  FleetNode a(config);
  const auto lease = a.turn(1);
  // Renewed at a third of its time: the store has been told a new end twice.
  const auto calls = [&] {
    const std::string stats = server.command({"INFO", "commandstats"});
    const auto at = stats.find("cmdstat_pexpire:calls=");
    return at == std::string::npos ? 0 : std::atoi(stats.c_str() + at + 22);
  };
  ASSERT_TRUE(eventually([&] { return calls() >= 4; }));
  EXPECT_EQ(server.command({"EXISTS", lease_of(1)}), "1");
}

TEST(RedisLeaseOptionsTest, whoever_waits_asks_again_though_a_long_lease_of_its_own_is_held) {
  RedisServer server;
  auto config = quick(server.url());
  config.flight_lease_ms = 600'000;
  FleetNode a(config);
  const auto own = a.turn(2);
  ASSERT_EQ(own.kind, Kind::kLease);
  server.command({"SET", lease_of(1), "somebody's"});
  auto waiting = a.take_turn(1);
  ASSERT_TRUE(eventually([&] { return a.report().waits == 1; }));
  server.command({"DEL", lease_of(1)});  // its holder died
  EXPECT_EQ(FleetNode::come(std::move(waiting)).kind, Kind::kLease);
}

TEST(RedisLeaseOptionsTest, without_leases_everybody_flies_alone) {
  RedisServer server;
  auto config = quick(server.url());
  config.flight_lease_ms = 0;
  FleetNode a(config);
  EXPECT_EQ(a.turn(1).kind, Kind::kAlone);
  EXPECT_EQ(server.command({"DBSIZE"}), "0");
}

TEST(RedisLeaseOptionsTest, without_the_channel_whoever_waits_asks_again) {
  RedisServer server;
  auto config = quick(server.url());
  config.coherence = false;
  FleetNode a(config);
  FleetNode b(config);
  auto lease = a.turn(1);
  auto waiting = b.take_turn(1);
  a.put(1, "answer", std::move(lease.lease));
  EXPECT_EQ(FleetNode::come(std::move(waiting)).kind, Kind::kLease);
  EXPECT_EQ(b.tier().read(1), "answer");
}

TEST(RedisLeaseOptionsTest, a_frozen_store_costs_one_operation_deadline) {
  RedisServer server;
  FleetNode a(impatient(server.url()));
  server.freeze();
  EXPECT_EQ(a.turn(1).kind, Kind::kAlone);
  server.thaw();
}

TEST(RedisClusterLeaseTest, every_slot_has_its_leases) {
  test::RedisCluster cluster;
  FleetNode a(quick(cluster.url()));
  FleetNode b(quick(cluster.url()));
  for (std::uint64_t i = 0; i < 20; ++i) {
    auto lease = a.turn(i);
    ASSERT_EQ(lease.kind, Kind::kLease);
    auto waiting = b.take_turn(i);
    ASSERT_TRUE(eventually([&] { return b.report().waits == i + 1; }));
    a.put(i, "answer", std::move(lease.lease));
    ASSERT_EQ(FleetNode::come(std::move(waiting)).kind, Kind::kLanded);
    ASSERT_EQ(b.tier().read(i), "answer");
  }
}

}  // namespace
}  // namespace llm_edge_cache::redis
