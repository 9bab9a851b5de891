#include "tiers/redis/direct_reader.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <stdexcept>
#include <thread>

#include "tests/support/free_port.hpp"
#include "tests/support/redis_server.hpp"
#include "tests/support/scripted_server.hpp"
#include "tests/unit/tiers/redis/configs.hpp"
#include "tests/unit/tiers/redis/live_tier.hpp"
#include "tiers/redis/command.hpp"

namespace llm_edge_cache::redis {
namespace {

using std::chrono::milliseconds;
using test::RedisServer;
using test::RedisServerOptions;

// GET of one key, and what came of it.
class Lookup final : public Operation {
 public:
  explicit Lookup(std::string key) : key_(std::move(key)) {}
  bool append_to(std::string& out) override {
    append_get(out, key_);
    return true;
  }
  bool complete(RespReply reply) override {
    if (reply[0].type != RespType::kBulkString && reply[0].type != RespType::kNull) return false;
    outcome = reply[0].type == RespType::kNull ? "(none)" : std::string(reply[0].text);
    return true;
  }
  void fail(const Error& error) override { outcome = to_string(error.code); }

  std::string outcome = "untouched";

 private:
  const std::string key_;
};

DirectReader::Options options_for(const RedisServer& server) {
  return {.address = {.host = "127.0.0.1", .port = server.port(), .path = server.socket_path()},
          .operation_timeout = milliseconds{20'000},
          .retry_after = milliseconds{20'000}};
}

std::string looked_up(DirectReader& reader, const std::string& key) {
  Lookup lookup(key);
  return reader.try_run(lookup) ? lookup.outcome : "not this way, " + lookup.outcome;
}

TEST(DirectReaderTest, reads_over_tcp_and_unix_sockets) {
  for (const auto transport :
       {RedisServerOptions::Transport::kTcp, RedisServerOptions::Transport::kUnixSocket}) {
    RedisServer server({.transport = transport});
    server.command({"SET", "k", std::string(300'000, 'x')});
    DirectReader reader(options_for(server));
    EXPECT_EQ(looked_up(reader, "k"), std::string(300'000, 'x'));
    EXPECT_EQ(looked_up(reader, "absent"), "(none)");
  }
}

TEST(DirectReaderTest, logs_in) {
  RedisServer server({.password = "pw"});
  DirectReader::Options options = options_for(server);
  options.session = {.password = "pw", .database = 3};
  DirectReader reader(options);
  EXPECT_EQ(looked_up(reader, "k"), "(none)");
  options.session.password = "wrong";
  DirectReader refused(options);
  EXPECT_EQ(looked_up(refused, "k"), "not this way, untouched");
}

TEST(DirectReaderTest, tells_an_error_of_the_server) {
  RedisServer server;
  server.command({"LPUSH", "k", "v"});
  DirectReader reader(options_for(server));
  EXPECT_EQ(looked_up(reader, "k"), "protocol");
  EXPECT_EQ(looked_up(reader, "absent"), "(none)");  // over the same connection
}

TEST(DirectReaderTest, leaves_the_operation_alone_where_there_is_no_server) {
  DirectReader reader({.address = {"127.0.0.1", test::free_port()}});
  EXPECT_EQ(looked_up(reader, "k"), "not this way, untouched");
  DirectReader named({.address = {"cache.example", 1}});
  EXPECT_EQ(looked_up(named, "k"), "not this way, untouched");
}

TEST(DirectReaderTest, leaves_the_operation_alone_when_the_connection_was_closed) {
  RedisServer server;
  DirectReader reader(options_for(server));
  ASSERT_EQ(looked_up(reader, "k"), "(none)");
  server.command({"CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"});
  EXPECT_EQ(looked_up(reader, "k"), "not this way, untouched");
}

TEST(DirectReaderTest, ends_with_the_deadline_and_stays_away_for_a_while) {
  RedisServer server;
  DirectReader::Options options = options_for(server);
  options.operation_timeout = milliseconds{100};
  DirectReader reader(options);
  while (looked_up(reader, "k") != "(none)") {
  }
  server.freeze();
  EXPECT_EQ(looked_up(reader, "k"), "deadline_exceeded");
  for (int i = 0; i < 100; ++i) EXPECT_EQ(looked_up(reader, "k"), "not this way, untouched");
  server.thaw();
}

TEST(DirectReaderTest, survives_an_answer_that_is_none) {
  test::ScriptedServer server([](std::string_view bytes) {
    const bool logs_in = bytes.find("PING") != std::string_view::npos;
    return test::ScriptedServer::Action{.send = logs_in ? "+PONG\r\n" : ":7\r\n"};
  });
  DirectReader reader(
      {.address = {"127.0.0.1", server.port()}, .operation_timeout = milliseconds{20'000}});
  EXPECT_EQ(looked_up(reader, "k"), "protocol");
}

std::size_t most_memory_mapped() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmPeak:")) return std::stoull(line.substr(7)) << 10U;
  }
  throw std::runtime_error("no VmPeak");
}

TEST(DirectReaderTest, reserves_nothing_for_a_value_over_the_limit) {
  constexpr std::size_t kHuge = 500'000'000;
  test::ScriptedServer server([](std::string_view bytes) {
    const bool logs_in = bytes.find("PING") != std::string_view::npos;
    return logs_in ? test::ScriptedServer::Action{.send = "+PONG\r\n"}
                   : test::ScriptedServer::Action{.send = "$" + std::to_string(kHuge) + "\r\nabc",
                                                  .close = true};
  });
  DirectReader reader(
      {.address = {"127.0.0.1", server.port()}, .operation_timeout = milliseconds{20'000}});
  const std::size_t before = most_memory_mapped();
  EXPECT_EQ(looked_up(reader, "k"), "not this way, untouched");
  EXPECT_LT(most_memory_mapped() - before, kHuge / 2);
}

TEST(DirectReaderTest, serves_many_threads_with_a_few_connections) {
  RedisServer server;
  server.command({"SET", "k", "v"});
  DirectReader reader(options_for(server));
  std::vector<std::thread> threads;
  for (int i = 0; i < 16; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < 200; ++round) {
        const std::string outcome = looked_up(reader, "k");
        EXPECT_TRUE(outcome == "v" || outcome == "not this way, untouched") << outcome;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST(DirectReaderTest, is_the_way_of_a_caller_who_waits) {
  RedisServer server;
  LiveTier tier(quick(server.url()));
  tier.put(1, "one");
  ASSERT_TRUE(tier.flush().ok());
  bool inside = false;
  std::string content;
  tier->get_and_wait(test::key_of(1), [&](const Result<EntryPtr>& entry) {
    inside = true;
    content = entry.ok() && *entry != nullptr ? (*entry)->response.content : "none";
  });
  EXPECT_TRUE(inside);
  EXPECT_EQ(content, "one");
  EXPECT_EQ(tier->counters().hits, 1U);
}

}  // namespace
}  // namespace llm_edge_cache::redis
