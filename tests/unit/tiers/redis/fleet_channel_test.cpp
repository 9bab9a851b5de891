// One channel at a time, on a real server, with a keepalive so rare that nothing here is its doing.
// What whole tiers hear of each other: redis_coherence_test.cpp.
#include "tiers/redis/fleet_channel.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/executor_work_guard.hpp>
#include <future>
#include <mutex>
#include <thread>
#include <vector>

#include "tests/support/entries.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/redis_server.hpp"

namespace llm_edge_cache::redis {
namespace {

using std::chrono::milliseconds;
using test::eventually;
using test::key_of;
using test::RedisServer;

constexpr milliseconds kNever = std::chrono::hours{1};
constexpr milliseconds kPatient{20'000};

class Channel {
 public:
  Channel(RedisServer& server, milliseconds operation_timeout)
      : channel_(context_, to(server, operation_timeout), options(operation_timeout), {}),
        thread_([this] { context_.run(); }) {
    channel_.start();
    if (!eventually([this] { return channel_.is_listening(); })) {
      throw std::runtime_error("no channel");
    }
  }
  ~Channel() {
    channel_.stop();
    work_.reset();
    thread_.join();
  }
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  FleetChannel* operator->() { return &channel_; }
  [[nodiscard]] FleetReport report() const {
    FleetReport report;
    channel_.add_to(report);
    return report;
  }
  [[nodiscard]] std::size_t messages() {
    const std::lock_guard lock(mutex_);
    return messages_.size();
  }
  [[nodiscard]] bool hears_of(std::uint64_t number) {
    return eventually([&] {
      const std::lock_guard lock(mutex_);
      return std::any_of(messages_.begin(), messages_.end(), [&](const FleetMessage& message) {
        return std::count(message.keys.begin(), message.keys.end(), key_of(number)) > 0;
      });
    });
  }
  // Returns when all was told, or cannot be.
  void drain() {
    std::promise<void> drained;
    channel_.drain([&] { drained.set_value(); });
    drained.get_future().wait();
  }

 private:
  // Backs off for longer than any test waits.
  static Connection::Options to(RedisServer& server, milliseconds operation_timeout) {
    Connection::Options options;
    options.name = "the server";
    options.address = {.host = "127.0.0.1", .port = server.port()};
    options.breaker = {3, milliseconds{1'000}};
    options.backoff = {.min = kNever, .max = kNever};
    options.connect_timeout = kPatient;
    options.operation_timeout = operation_timeout;
    return options;
  }
  FleetChannel::Options options(milliseconds operation_timeout) {
    return {.channel = "news",
            .keepalive = kNever,
            .operation_timeout = operation_timeout,
            .on_message =
                [this](const FleetMessage& message) {
                  const std::lock_guard lock(mutex_);
                  messages_.push_back(message);
                },
            .on_listening = [] {},
            .on_first_attempt = [] {}};
  }

  boost::asio::io_context context_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{
      context_.get_executor()};
  std::mutex mutex_;
  std::vector<FleetMessage> messages_;  // guarded by mutex_
  FleetChannel channel_;
  std::thread thread_;
};

TEST(FleetChannelTest, tells_the_others_and_ignores_its_own_words) {
  RedisServer server;
  Channel a(server, kPatient);
  Channel b(server, kPatient);
  a->announce(FleetMessage::Kind::kChanged, key_of(1));
  EXPECT_TRUE(b.hears_of(1));
  b->announce(FleetMessage::Kind::kLanded, key_of(2));
  EXPECT_TRUE(a.hears_of(2));
  EXPECT_EQ(a.messages(), 1U);
}

TEST(FleetChannelTest, tells_as_soon_as_a_server_answers_again_that_was_slow) {
  RedisServer server;
  Channel a(server, milliseconds{500});
  Channel b(server, kPatient);
  server.freeze();
  a->announce(FleetMessage::Kind::kChanged, key_of(1));
  a.drain();  // the deadline has passed
  a->announce(FleetMessage::Kind::kChanged, key_of(2));
  EXPECT_EQ(a.report().sent, 0U);
  server.thaw();
  EXPECT_TRUE(b.hears_of(2));
  EXPECT_TRUE(eventually([&] { return a.report().sent == 1; }));
  EXPECT_EQ(a.report().losses, 0U);
}

TEST(FleetChannelTest, is_taken_up_again_at_once_when_it_breaks) {
  RedisServer server;
  Channel a(server, kPatient);
  Channel b(server, kPatient);
  a->announce(FleetMessage::Kind::kChanged, key_of(1));
  b->announce(FleetMessage::Kind::kChanged, key_of(2));
  ASSERT_TRUE(b.hears_of(1) && a.hears_of(2));
  a.drain();
  b.drain();
  server.command({"CLIENT", "KILL", "TYPE", "pubsub"});
  EXPECT_TRUE(eventually([&] { return a.report().losses == 1 && a->is_listening(); }));
  EXPECT_TRUE(eventually([&] { return b.report().losses == 1 && b->is_listening(); }));
  a->announce(FleetMessage::Kind::kChanged, key_of(3));
  EXPECT_TRUE(b.hears_of(3));
}

TEST(FleetChannelTest, hammers_no_server_that_ends_it_before_it_has_answered) {
  RedisServer server;
  Channel a(server, kPatient);
  server.command({"CLIENT", "KILL", "TYPE", "pubsub"});
  ASSERT_TRUE(eventually([&] { return a.report().losses == 1; }));
  // It waits for the end of its backoff: what is told meanwhile stays untold.
  a->announce(FleetMessage::Kind::kChanged, key_of(1));
  a.drain();
  EXPECT_FALSE(a->is_listening());
  EXPECT_EQ(a.report().sent, 0U);
}

TEST(FleetChannelTest, gathers_what_comes_while_a_message_is_under_way) {
  RedisServer server;
  Channel a(server, kPatient);
  Channel b(server, kPatient);
  server.freeze();
  constexpr std::uint64_t kChanges = 500;
  for (std::uint64_t i = 0; i < kChanges; ++i) a->announce(FleetMessage::Kind::kChanged, key_of(i));
  server.thaw();
  EXPECT_TRUE(b.hears_of(kChanges - 1));
  EXPECT_TRUE(b.hears_of(0));
  a.drain();
  EXPECT_LT(a.report().sent, kChanges / 2);
}

}  // namespace
}  // namespace llm_edge_cache::redis
