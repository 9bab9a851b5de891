// The tier on servers that are down, dead, frozen, full, closed to us, or no Redis at all.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <vector>

#include "tests/support/free_port.hpp"
#include "tests/support/redis_server.hpp"
#include "tests/support/scripted_server.hpp"
#include "tests/unit/tiers/redis/configs.hpp"
#include "tests/unit/tiers/redis/live_tier.hpp"

namespace llm_edge_cache::redis {
namespace {

using test::eventually;
using test::key_of;
using test::RedisServer;
using test::ScriptedServer;
using test::StallingServer;
using ::testing::HasSubstr;
using ::testing::Not;

std::string url_of(std::uint16_t port) {
  return "redis://127.0.0.1:" + std::to_string(port);
}

// As a server answers that knows no CLIENT command: to a log-in, and to a PING alone.
std::string answer_to_log_in(std::string_view bytes) {
  std::string answer;
  for (std::size_t at = bytes.find("CLIENT"); at != std::string_view::npos;
       at = bytes.find("CLIENT", at + 1)) {
    answer += "-ERR unknown command\r\n";
  }
  return answer + "+PONG\r\n";
}

TEST(RedisDownTest, is_turned_away_at_once_when_the_server_is_down_at_start) {
  LiveTier tier(quick(url_of(test::free_port())));
  ASSERT_TRUE(tier.event_told(TierEventKind::kConnectFailed));
  EXPECT_TRUE(eventually([&] { return tier.read(1) == "unavailable"; }));
  const std::uint64_t before = tier->counters().errors_unavailable;
  for (int i = 0; i < 1'000; ++i) EXPECT_EQ(tier.read(i), "unavailable");
  EXPECT_EQ(tier->counters().errors_unavailable, before + 1'000);
  EXPECT_EQ(tier->counters().errors_timeout, 0U);
  EXPECT_EQ(tier.check().error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(tier.size().error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(tier.remove(1).error().code, ErrorCode::kUnavailable);
}

TEST(RedisDownTest, opens_the_breaker_after_failures_to_connect) {
  LiveTier tier(quick(url_of(test::free_port())));
  EXPECT_TRUE(eventually([&] { return tier->gauges().breaker == BreakerState::kOpen; }));
}

TEST(RedisDownTest, finds_a_server_that_starts_later_and_writes_what_waited) {
  RedisServer server;
  server.kill();
  LiveTier tier(quick(server.url()));
  ASSERT_TRUE(tier.event_told(TierEventKind::kConnectFailed));
  tier.put(1, "one");
  EXPECT_FALSE(tier.flush().ok());
  EXPECT_EQ(tier->gauges().pending_writes, 1U);
  server.restart();
  EXPECT_TRUE(eventually([&] { return tier.read(1) == "one"; }));
  EXPECT_EQ(tier->counters().writes, 1U);
  EXPECT_EQ(tier->counters().dropped_writes, 0U);
  EXPECT_EQ(tier->gauges().breaker, BreakerState::kClosed);
}

TEST(RedisDownTest, still_removes_what_it_could_not_confirm) {
  RedisServer server;
  server.kill();
  LiveTier tier(quick(server.url()));
  ASSERT_TRUE(tier.event_told(TierEventKind::kConnectFailed));
  EXPECT_TRUE(eventually([&] { return tier.read(1) == "unavailable"; }));
  tier.put(1, "one");
  EXPECT_FALSE(tier.remove(1).ok());
  server.restart();
  EXPECT_TRUE(eventually([&] { return tier->counters().removals == 1; }));
  EXPECT_EQ(tier.read(1), "(none)");
}

TEST(RedisDownTest, drops_and_counts_writes_over_its_bounds) {
  L2Config config = quick(url_of(test::free_port()));
  config.max_pending_writes = 10;
  LiveTier tier(config);
  for (int i = 0; i < 25; ++i) tier.put(i, "value");
  EXPECT_EQ(tier->counters().dropped_writes, 15U);
  EXPECT_EQ(tier->gauges().pending_writes, 10U);
  EXPECT_EQ(tier.remove(1).error().code, ErrorCode::kOverloaded);
  EXPECT_TRUE(tier.event_told(TierEventKind::kWriteDropped));
}

TEST(RedisDownTest, drops_and_counts_writes_over_its_bytes) {
  L2Config config = quick(url_of(test::free_port()));
  config.max_pending_bytes = 100'000;
  LiveTier tier(config);
  for (int i = 0; i < 10; ++i) tier.put(i, std::string(30'000, 'x'));
  EXPECT_EQ(tier->counters().dropped_writes, 7U);
  EXPECT_LE(tier->gauges().pending_bytes, 100'000U);
}

TEST(RedisDownTest, does_not_wait_for_an_absent_server_when_it_goes) {
  L2Config config = quick(url_of(test::free_port()));
  config.shutdown_flush_ms = 3'600'000;
  LiveTier tier(config);
  ASSERT_TRUE(tier.event_told(TierEventKind::kConnectFailed));
  tier.put(1, "one");
  tier.destroy();  // the test's time limit says the rest
}

TEST(RedisKilledTest, fails_nothing_but_lookups_and_recovers_on_a_restart) {
  RedisServer server;
  LiveTier tier(quick(server.url()));
  tier.put(1, "one");
  ASSERT_TRUE(tier.flush().ok());
  server.kill();
  ASSERT_TRUE(tier.event_told(TierEventKind::kConnectionLost));
  EXPECT_EQ(tier.read(1), "unavailable");
  server.restart();
  EXPECT_TRUE(eventually([&] { return tier.read(1) == "(none)"; }));  // empty now
  tier.put(1, "one again");
  EXPECT_TRUE(tier.flush().ok());
  EXPECT_EQ(tier.read(1), "one again");
}

TEST(RedisKilledTest, completes_all_that_was_outstanding) {
  RedisServer server;
  L2Config config = quick(server.url());
  config.operation_timeout_ms = 3'600'000;  // only the loss of the connection ends them
  LiveTier tier(config);
  ASSERT_TRUE(tier.becomes_available());
  server.freeze();
  std::atomic<int> unavailable{0};
  for (int i = 0; i < 100; ++i) {
    tier->get(key_of(i), [&](const Result<EntryPtr>& entry) {
      if (!entry.ok() && entry.error().code == ErrorCode::kUnavailable) ++unavailable;
    });
  }
  server.kill();
  EXPECT_TRUE(eventually([&] { return unavailable == 100; }));
}

TEST(RedisFrozenTest, costs_one_lookup_per_connection_its_deadline_and_the_others_nothing) {
  RedisServer server;
  L2Config config = impatient(server.url());
  config.io_threads = 2;
  LiveTier tier(config);
  tier.put(1, "one");
  ASSERT_TRUE(eventually([&] { return tier.read(1) == "one"; }));
  ASSERT_TRUE(tier.becomes_available());
  const TierCounters before = tier->counters();
  server.freeze();
  for (int i = 0; i < 1'000; ++i) {
    const std::string answer = tier.read(i);
    EXPECT_TRUE(answer == "unavailable" || answer == "deadline_exceeded") << answer;
  }
  const TierCounters after = tier->counters();
  EXPECT_LE(after.errors_timeout, before.errors_timeout + 2);
  EXPECT_GE(after.errors_unavailable, before.errors_unavailable + 998);
  server.thaw();
  EXPECT_TRUE(eventually([&] { return tier.read(1) == "one"; }));
}

TEST(RedisFrozenTest, fails_concurrent_lookups_together_and_opens_the_breaker) {
  RedisServer server;
  L2Config config = impatient(server.url());
  config.breaker_open_ms = 60'000;
  LiveTier tier(config);
  ASSERT_TRUE(tier.becomes_available());
  server.freeze();
  std::atomic<int> ended{0};
  for (int i = 0; i < 64; ++i) {
    tier->get(key_of(i), [&](const Result<EntryPtr>& entry) {
      EXPECT_FALSE(entry.ok());
      ++ended;
    });
  }
  EXPECT_TRUE(eventually([&] { return ended == 64; }));
  EXPECT_TRUE(eventually([&] { return tier->gauges().breaker == BreakerState::kOpen; }));
  EXPECT_EQ(tier->counters().errors_timeout, 64U);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(tier.read(i), "unavailable");
  EXPECT_EQ(tier->counters().errors_timeout, 64U);
}

TEST(RedisFrozenTest, spends_no_lookup_on_probing) {
  std::atomic<bool> frozen{false};
  ScriptedServer server([&frozen](std::string_view bytes) {
    return ScriptedServer::Action{.send = frozen ? "" : answer_to_log_in(bytes)};
  });
  L2Config config = impatient(url_of(server.port()));
  config.connect_timeout_ms = 50;
  config.breaker_open_ms = 20;
  LiveTier tier(config);
  ASSERT_TRUE(tier.becomes_available());
  frozen = true;
  EXPECT_EQ(tier.read(1), "deadline_exceeded");
  // The breaker's periods and several reconnects that stall go by.
  EXPECT_TRUE(eventually([&] {
    EXPECT_EQ(tier.read(1), "unavailable");
    return server.connections() >= 6;
  }));
  EXPECT_EQ(tier->gauges().breaker, BreakerState::kOpen);
  EXPECT_EQ(tier->counters().errors_timeout, 1U);
  frozen = false;
  EXPECT_TRUE(tier.becomes_available());
}

TEST(RedisFrozenTest, gives_up_a_connection_that_stays_silent) {
  RedisServer server;
  LiveTier tier(impatient(server.url()));
  ASSERT_TRUE(tier.becomes_available());
  server.freeze();
  EXPECT_EQ(tier.read(1), "deadline_exceeded");
  EXPECT_TRUE(tier.event_told(TierEventKind::kConnectionLost));
  EXPECT_THAT(tier.last_event(TierEventKind::kConnectionLost), HasSubstr("does not answer"));
}

TEST(RedisFrozenTest, keeps_answers_and_commands_matched_after_a_thaw) {
  RedisServer server;
  L2Config config = impatient(server.url());
  config.breaker_failures = 1'000;
  LiveTier tier(config);
  for (int i = 0; i < 20; ++i) tier.put(i, "value " + std::to_string(i));
  ASSERT_TRUE(eventually([&] { return tier->counters().writes == 20; }));
  std::atomic<int> ended{0};
  server.freeze();
  for (int i = 0; i < 10; ++i) {
    tier->get(key_of(i), [&](const Result<EntryPtr>&) { ++ended; });
  }
  ASSERT_TRUE(eventually([&] { return ended == 10; }));
  server.thaw();
  for (int i = 19; i >= 0; --i) {
    std::string answer;
    ASSERT_TRUE(eventually([&] {
      answer = tier.read(i);
      return answer != "unavailable" && answer != "deadline_exceeded";
    }));
    EXPECT_EQ(answer, "value " + std::to_string(i));
  }
}

TEST(RedisFrozenTest, holds_writes_within_their_bound_and_sends_them_after_a_thaw) {
  RedisServer server;
  L2Config config = impatient(server.url());
  config.max_pending_writes = 50;
  LiveTier tier(config);
  ASSERT_TRUE(tier.becomes_available());
  server.freeze();
  EXPECT_EQ(tier.read(1), "deadline_exceeded");
  for (int i = 0; i < 80; ++i) tier.put(i, "value");
  EXPECT_EQ(tier->counters().dropped_writes, 30U);
  server.thaw();
  EXPECT_TRUE(eventually([&] { return tier->counters().writes == 50; }));
}

TEST(RedisFrozenTest, bounds_the_wait_for_pending_writes_when_it_goes) {
  RedisServer server;
  L2Config config = impatient(server.url());
  config.shutdown_flush_ms = 200;
  LiveTier tier(config);
  ASSERT_TRUE(tier.becomes_available());
  server.freeze();
  for (int i = 0; i < 80; ++i) tier.put(i, "value");
  tier.destroy();
}

TEST(RedisStallingTest, gives_each_early_lookup_one_deadline_at_most) {
  StallingServer server;
  L2Config config = impatient(url_of(server.port()));
  LiveTier tier(config);
  EXPECT_EQ(tier.read(1), "deadline_exceeded");
  for (int i = 0; i < 100; ++i) EXPECT_EQ(tier.read(i), "unavailable");
  ASSERT_TRUE(tier.event_told(TierEventKind::kConnectFailed));
  EXPECT_THAT(tier.last_event(TierEventKind::kConnectFailed), HasSubstr("in time"));
  EXPECT_TRUE(eventually([&] { return server.connections() >= 3; }));
  EXPECT_EQ(tier->counters().errors_timeout, 1U);
}

TEST(RedisRubbishTest, takes_no_other_server_for_redis) {
  ScriptedServer server([](std::string_view) {
    return ScriptedServer::Action{.send = "HTTP/1.1 400 Bad Request\r\n\r\n"};
  });
  LiveTier tier(quick(url_of(server.port())));
  ASSERT_TRUE(tier.event_told(TierEventKind::kConnectFailed));
  EXPECT_THAT(tier.last_event(TierEventKind::kConnectFailed), HasSubstr("does not speak RESP"));
  EXPECT_TRUE(eventually([&] { return tier.read(1) == "unavailable"; }));
  EXPECT_TRUE(eventually([&] { return server.connections() >= 3; }));  // it keeps trying
}

// Logs in like Redis, then answers every command with the same bytes.
class AfterPong {
 public:
  explicit AfterPong(std::string answer) : answer_(std::move(answer)) {}
  ScriptedServer::Action operator()(std::string_view bytes) const {
    if (bytes.find("PING") != std::string_view::npos) return {.send = answer_to_log_in(bytes)};
    return {.send = answer_};
  }

 private:
  std::string answer_;
};

TEST(RedisRubbishTest, gives_no_answer_from_bytes_that_are_none) {
  for (const char* rubbish : {"\x16\x03\x01", "$5\r\nabcdefgh\r\n", "*1\r\n$1\r\nx\r\n", ":7\r\n",
                              "+OK\r\n", "$99999999999\r\n", "$1\r\nx\r\n$1\r\ny\r\n"}) {
    ScriptedServer server{AfterPong(rubbish)};
    LiveTier tier(quick(url_of(server.port())));
    ASSERT_TRUE(tier.becomes_available());
    for (int i = 0; i < 20; ++i) {
      const std::string answer = tier.read(i);
      EXPECT_TRUE(answer == "protocol" || answer == "unavailable" || answer == "(none)") << answer;
    }
    EXPECT_EQ(tier->counters().hits, 0U);
    EXPECT_GE(tier->counters().errors_protocol + tier->counters().errors_corrupt, 1U);
  }
}

TEST(RedisRubbishTest, gives_nothing_of_an_answer_that_was_cut_off) {
  ScriptedServer server([](std::string_view bytes) {
    if (bytes.find("PING") != std::string_view::npos) {
      return ScriptedServer::Action{.send = answer_to_log_in(bytes)};
    }
    return ScriptedServer::Action{.send = "$1000\r\nhalf of it", .close = true};
  });
  LiveTier tier(quick(url_of(server.port())));
  ASSERT_TRUE(tier.becomes_available());
  EXPECT_EQ(tier.read(1), "unavailable");
  EXPECT_EQ(tier->counters().hits, 0U);
}

TEST(RedisErrorsTest, tells_of_a_wrong_password_without_repeating_it) {
  RedisServer server({.password = "right"});
  LiveTier tier(quick("redis://:wr0ng@127.0.0.1:" + std::to_string(server.port())));
  ASSERT_TRUE(tier.event_told(TierEventKind::kConnectFailed));
  EXPECT_THAT(tier.last_event(TierEventKind::kConnectFailed), HasSubstr("WRONGPASS"));
  EXPECT_THAT(tier.last_event(TierEventKind::kConnectFailed), Not(HasSubstr("wr0ng")));
  EXPECT_TRUE(eventually([&] { return tier.read(1) == "unavailable"; }));
  server.command({"CONFIG", "SET", "requirepass", "wr0ng"});
  EXPECT_TRUE(tier.becomes_available());
}

TEST(RedisErrorsTest, tells_of_a_password_that_is_missing) {
  RedisServer server({.password = "right"});
  LiveTier tier(quick(url_of(server.port())));
  ASSERT_TRUE(tier.event_told(TierEventKind::kConnectFailed));
  EXPECT_THAT(tier.last_event(TierEventKind::kConnectFailed), HasSubstr("NOAUTH"));
}

TEST(RedisErrorsTest, counts_writes_that_a_full_server_refuses_and_reads_on) {
  RedisServer server;
  LiveTier tier(quick(server.url()));
  tier.put(1, "one");
  ASSERT_TRUE(tier.flush().ok());
  server.command({"CONFIG", "SET", "maxmemory", "1"});
  for (int i = 2; i < 12; ++i) tier.put(i, "value");
  ASSERT_TRUE(tier.flush().ok());
  EXPECT_EQ(tier->counters().dropped_writes, 10U);
  EXPECT_EQ(tier->counters().errors_protocol, 10U);
  EXPECT_THAT(tier.last_event(TierEventKind::kStoreError), HasSubstr("OOM"));
  EXPECT_EQ(tier.read(1), "one");
  EXPECT_EQ(tier->gauges().breaker, BreakerState::kClosed);
}

TEST(RedisErrorsTest, counts_writes_that_a_replica_refuses_and_reads_on) {
  RedisServer server;
  LiveTier tier(quick(server.url()));
  tier.put(1, "one");
  ASSERT_TRUE(tier.flush().ok());
  server.command({"REPLICAOF", "127.0.0.1", std::to_string(test::free_port())});
  tier.put(2, "two");
  ASSERT_TRUE(tier.flush().ok());
  EXPECT_EQ(tier->counters().dropped_writes, 1U);
  EXPECT_THAT(tier.last_event(TierEventKind::kStoreError), HasSubstr("READONLY"));
  EXPECT_EQ(tier.read(1), "one");
}

TEST(RedisErrorsTest, stops_asking_a_server_that_is_loading) {
  ScriptedServer server{AfterPong("-LOADING Redis is loading the dataset in memory\r\n")};
  L2Config config = quick(url_of(server.port()));
  config.breaker_open_ms = 60'000;
  LiveTier tier(config);
  ASSERT_TRUE(tier.becomes_available());
  for (int i = 0; i < 3; ++i) EXPECT_EQ(tier.read(i), "protocol");
  EXPECT_EQ(tier.read(1), "unavailable");
  EXPECT_EQ(tier->gauges().breaker, BreakerState::kOpen);
}

TEST(RedisErrorsTest, survives_clients_being_cut_off_again_and_again) {
  RedisServer server;
  L2Config config = quick(server.url());
  config.breaker_failures = 1'000;
  LiveTier tier(config);
  for (int round = 0; round < 10; ++round) {
    ASSERT_TRUE(tier.becomes_available());
    tier.put(round, "value");
    server.command({"CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"});
  }
  ASSERT_TRUE(tier.becomes_available());
  ASSERT_TRUE(eventually([&] { return tier->gauges().pending_writes == 0; }));
  EXPECT_EQ(tier->counters().writes + tier->counters().dropped_writes, 10U);
}

}  // namespace
}  // namespace llm_edge_cache::redis
