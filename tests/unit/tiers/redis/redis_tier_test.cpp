// The tier on a real redis-server that is well.
#include "tiers/redis/redis_tier.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "core/entry_codec.hpp"
#include "tests/support/redis_server.hpp"
#include "tests/unit/tiers/redis/configs.hpp"
#include "tests/unit/tiers/redis/live_tier.hpp"

namespace llm_edge_cache::redis {
namespace {

using test::key_of;
using test::RedisServer;
using test::RedisServerOptions;
using ::testing::HasSubstr;

// Nothing here is about time: a busy machine must not turn an answer into a missed deadline.
class PatientTier : public LiveTier {
 public:
  explicit PatientTier(L2Config config, std::uint64_t scan_timeout_ms = 30'000)
      : LiveTier(patient(std::move(config)), scan_timeout_ms) {}

 private:
  static L2Config patient(L2Config config) {
    config.connect_timeout_ms = 20'000;
    config.operation_timeout_ms = 20'000;
    return config;
  }
};

TEST(RedisTierTest, gives_what_was_put_on_every_thread) {
  RedisServer server;
  PatientTier tier({.url = server.url(), .io_threads = 3});
  for (int i = 0; i < 50; ++i) tier.put(i, "value " + std::to_string(i));
  ASSERT_TRUE(tier.flush().ok());
  for (int i = 0; i < 50; ++i) EXPECT_EQ(tier.read(i), "value " + std::to_string(i));
  EXPECT_EQ(tier.read(99), "(none)");
  const TierCounters counters = tier->counters();
  EXPECT_EQ(counters.writes, 50U);
  EXPECT_EQ(counters.hits, 50U);
  EXPECT_EQ(counters.misses, 1U);
  EXPECT_EQ(counters.dropped_writes, 0U);
  EXPECT_EQ(tier->gauges().pending_writes, 0U);
  EXPECT_EQ(tier->gauges().pending_bytes, 0U);
}

TEST(RedisTierTest, works_over_a_unix_socket_with_password_and_database) {
  RedisServer server(
      {.transport = RedisServerOptions::Transport::kUnixSocket, .password = "s3cret"});
  PatientTier tier({.url = server.url() + "?db=3"});
  tier.put(1, "one");
  ASSERT_TRUE(tier.flush().ok());
  EXPECT_EQ(tier.read(1), "one");
  EXPECT_EQ(server.command({"DBSIZE"}), "0");  // of database 0
}

TEST(RedisTierTest, logs_in_as_a_user_of_the_access_list) {
  RedisServer server({.extra_args = {"--user", "alice", "on", ">pw%:@", "~llm_cache:*", "+@all"}});
  PatientTier tier({.url = "redis://alice:pw%25%3A%40@localhost:" + std::to_string(server.port())});
  tier.put(1, "one");
  ASSERT_TRUE(tier.flush().ok());
  EXPECT_EQ(tier.read(1), "one");
}

TEST(RedisTierTest, stores_with_the_remaining_life_of_the_entry) {
  RedisServer server;
  PatientTier tier({.url = server.url(), .ttl_ms = 3'600'000});
  tier.put(1, "short", 50'000);
  tier.put(2, "long", 100'000'000);
  tier.put(3, "over", 0);
  ASSERT_TRUE(tier.flush().ok());
  EXPECT_LE(std::stoll(server.command({"PTTL", stored_key(1)})), 50'000);
  EXPECT_GT(std::stoll(server.command({"PTTL", stored_key(1)})), 0);
  EXPECT_LE(std::stoll(server.command({"PTTL", stored_key(2)})), 3'600'000);
  EXPECT_EQ(server.command({"EXISTS", stored_key(3)}), "0");
}

TEST(RedisTierTest, removes_after_every_earlier_put) {
  RedisServer server;
  PatientTier tier({.url = server.url(), .io_threads = 2});
  for (int i = 0; i < 200; ++i) {
    tier.put(i, "value");
    const Result<bool> removed = tier.remove(i);
    ASSERT_TRUE(removed.ok()) << removed.error().message;
    EXPECT_TRUE(*removed);
  }
  EXPECT_FALSE(*tier.remove(0));
  EXPECT_EQ(server.command({"DBSIZE"}), "0");
  EXPECT_EQ(tier->counters().removals, 200U);
}

TEST(RedisTierTest, counts_and_clears_its_own_prefix_only) {
  RedisServer server;
  PatientTier tier({.url = server.url(), .key_prefix = "a*[x]?:", .io_threads = 2});
  server.command({"SET", "aXx?:other", "theirs"});
  server.command({"SET", "ab[x]y:other", "theirs"});
  for (int i = 0; i < 2'000; ++i) tier.put(i, "value");
  ASSERT_TRUE(tier.flush().ok());
  const Result<std::uint64_t> size = tier.size();
  ASSERT_TRUE(size.ok()) << size.error().message;
  EXPECT_GE(*size, 2'000U);
  EXPECT_LE(*size, 2'100U);  // a key may be counted twice while the server resizes its table
  ASSERT_TRUE(tier.clear().ok());
  EXPECT_EQ(*tier.size(), 0U);
  EXPECT_EQ(server.command({"DBSIZE"}), "2");
  EXPECT_EQ(tier->counters().removals, 2'000U);
}

TEST(RedisTierTest, clears_what_was_put_before_without_a_flush) {
  RedisServer server;
  PatientTier tier({.url = server.url(), .io_threads = 2});
  for (int i = 0; i < 500; ++i) tier.put(i, "value");
  ASSERT_TRUE(tier.clear().ok());
  EXPECT_EQ(server.command({"DBSIZE"}), "0");
}

TEST(RedisTierTest, ends_a_scan_that_takes_too_long) {
  RedisServer server({.extra_args = {"--enable-debug-command", "yes"}});
  ASSERT_EQ(server.command({"DEBUG", "POPULATE", "200000", "llm_cache", "1"}), "OK");
  PatientTier tier({.url = server.url()}, /*scan_timeout_ms=*/1);
  const Result<std::uint64_t> size = tier.size();
  ASSERT_FALSE(size.ok());
  EXPECT_EQ(size.error().code, ErrorCode::kDeadlineExceeded);
}

TEST(RedisTierTest, refuses_more_scans_than_it_runs_at_a_time) {
  RedisServer server;
  PatientTier tier({.url = server.url()});
  ASSERT_TRUE(tier.becomes_available());
  server.freeze();  // the first ones cannot end before the last one has begun
  std::atomic<std::size_t> overloaded{0};
  std::atomic<std::size_t> counted{0};
  for (std::size_t i = 0; i < RedisTier::kMaxWalks + 3; ++i) {
    tier->size([&](const Result<std::uint64_t>& size) {
      if (size.ok()) ++counted;
      if (!size.ok() && size.error().code == ErrorCode::kOverloaded) ++overloaded;
    });
  }
  EXPECT_EQ(overloaded, 3U);
  server.thaw();
  EXPECT_TRUE(test::eventually([&] { return counted == RedisTier::kMaxWalks; }));
}

TEST(RedisTierTest, deletes_and_counts_what_does_not_verify) {
  RedisServer server;
  PatientTier tier({.url = server.url()});
  ASSERT_TRUE(tier.becomes_available());
  server.command({"SET", stored_key(1), "not an entry"});
  EXPECT_EQ(tier.read(1), "(none)");
  EXPECT_TRUE(test::eventually([&] { return server.command({"EXISTS", stored_key(1)}) == "0"; }));
  EXPECT_EQ(tier->counters().errors_corrupt, 1U);
  EXPECT_THAT(tier.last_event(TierEventKind::kCorruptEntry), HasSubstr("deleted"));
}

TEST(RedisTierTest, never_gives_an_entry_that_was_moved_under_another_key) {
  RedisServer server;
  PatientTier tier({.url = server.url()});
  tier.put(1, "one");
  ASSERT_TRUE(tier.flush().ok());
  server.command({"RENAME", stored_key(1), stored_key(2)});
  EXPECT_EQ(tier.read(2), "(none)");
  EXPECT_EQ(tier->counters().errors_corrupt, 1U);
}

TEST(RedisTierTest, reports_a_key_of_another_type_and_reads_on) {
  RedisServer server;
  PatientTier tier({.url = server.url()});
  tier.put(2, "two");
  ASSERT_TRUE(tier.flush().ok());
  server.command({"LPUSH", stored_key(1), "x"});
  for (int i = 0; i < 10; ++i) EXPECT_EQ(tier.read(1), "protocol");
  EXPECT_EQ(tier.read(2), "two");
  EXPECT_EQ(tier->counters().errors_protocol, 10U);
}

TEST(RedisTierTest, refuses_a_stored_value_over_its_limit_and_reads_on) {
  RedisServer server;
  PatientTier tier({.url = server.url(), .max_entry_bytes = 10'000});
  tier.put(2, "two");
  ASSERT_TRUE(tier.flush().ok());
  server.command({"SET", stored_key(1), std::string(5'000'000, 'x')});
  EXPECT_EQ(tier.read(1), "too_large");
  EXPECT_EQ(tier.read(2), "two");
  EXPECT_EQ(server.command({"EXISTS", stored_key(1)}), "1");
}

TEST(RedisTierTest, drops_an_entry_over_its_limit) {
  RedisServer server;
  PatientTier tier({.url = server.url(), .max_entry_bytes = 10'000});
  tier.put(1, std::string(20'000, 'x'));
  ASSERT_TRUE(tier.flush().ok());
  EXPECT_EQ(tier->counters().dropped_writes, 1U);
  EXPECT_EQ(server.command({"DBSIZE"}), "0");
}

TEST(RedisTierTest, carries_large_entries) {
  RedisServer server;
  PatientTier tier({.url = server.url()});
  std::string content(4'000'000, '\0');
  std::uint32_t state = 1;
  for (char& c : content) c = static_cast<char>((state = state * 1'664'525 + 1'013'904'223) >> 24);
  tier.put(1, content);
  ASSERT_TRUE(tier.flush().ok());
  EXPECT_EQ(tier.read(1), content);
}

TEST(RedisTierTest, serves_many_threads_at_once) {
  RedisServer server;
  PatientTier tier({.url = server.url(), .io_threads = 2});
  constexpr int kKeys = 64;
  for (int i = 0; i < kKeys; ++i) tier.put(i, "value " + std::to_string(i));
  ASSERT_TRUE(tier.flush().ok());
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 500; ++i) {
        const int key = (i * 7 + t) % kKeys;
        if (i % 50 == 0) tier.put(key, "value " + std::to_string(key));
        if (tier.read(key) != "value " + std::to_string(key)) ++wrong;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

TEST(RedisTierTest, lets_a_handler_call_the_tier_again) {
  RedisServer server;
  PatientTier tier({.url = server.url()});
  tier.put(1, "one");
  ASSERT_TRUE(tier.flush().ok());
  std::promise<std::string> read;
  tier->get(key_of(9), [&](const Result<EntryPtr>&) {
    tier->get(key_of(1),
              [&](const Result<EntryPtr>& entry) { read.set_value((*entry)->response.content); });
  });
  EXPECT_EQ(read.get_future().get(), "one");
}

TEST(RedisTierTest, writes_what_is_pending_before_it_goes) {
  RedisServer server;
  PatientTier tier({.url = server.url(), .io_threads = 2});
  for (int i = 0; i < 300; ++i) tier.put(i, "value");
  tier.destroy();
  EXPECT_EQ(server.command({"DBSIZE"}), "300");
}

TEST(RedisTierTest, completes_every_call_when_it_goes) {
  RedisServer server;
  std::atomic<int> completed{0};
  PatientTier tier({.url = server.url(), .io_threads = 2, .shutdown_flush_ms = 0});
  ASSERT_TRUE(tier.becomes_available());
  server.freeze();
  for (int i = 0; i < 100; ++i) {
    tier->get(key_of(i), [&](const Result<EntryPtr>&) { ++completed; });
    tier->remove(key_of(i), [&](const Result<bool>&) { ++completed; });
  }
  tier->clear([&](const Status&) { ++completed; });
  tier->size([&](const Result<std::uint64_t>&) { ++completed; });
  tier->check([&](const Status&) { ++completed; });
  tier.destroy();
  EXPECT_EQ(completed, 203);
}

TEST(RedisTierTest, refuses_a_configuration_that_cannot_be_used) {
  const auto complaint = [](const L2Config& config, RedisTierOptions options = {}) {
    const auto tier =
        RedisTier::create(config, std::make_shared<SystemClock>(), std::move(options));
    return tier.ok() ? "" : tier.error().message;
  };
  EXPECT_THAT(complaint({.url = "redis://h:99999"}), HasSubstr("port"));
  EXPECT_THAT(complaint({.io_threads = 0}), HasSubstr("io_threads"));
  EXPECT_THAT(complaint({}, {.on_event = {}, .scan_timeout_ms = 0}), HasSubstr("scan_timeout_ms"));
}

}  // namespace
}  // namespace llm_edge_cache::redis
