// A session that subscribes: what is said, and what becomes of what is heard.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/tiers/redis/recording_operation.hpp"
#include "tiers/redis/session.hpp"

namespace llm_edge_cache::redis {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr const char* kHello = "%1\r\n$6\r\nserver\r\n$5\r\nredis\r\n";
constexpr const char* kSubscribed = ">3\r\n$9\r\nsubscribe\r\n$4\r\nnews\r\n:1\r\n";

std::string message(const std::string& text, const std::string& channel = "news") {
  return ">3\r\n$7\r\nmessage\r\n$" + std::to_string(channel.size()) + "\r\n" + channel + "\r\n$" +
         std::to_string(text.size()) + "\r\n" + text + "\r\n";
}

class SessionChannelTest : public ::testing::Test {
 protected:
  void feed(const std::string& bytes) { (void)session_.receive(bytes, now_); }
  void make_ready() {
    feed(std::string(kHello) + kSubscribed + "+PONG\r\n");
    ASSERT_EQ(session_.state(), Session::State::kReady);
    session_.output().clear();
  }

  TimePoint now_{std::chrono::hours{1}};
  CircuitBreaker breaker_{{.failures = 3, .open_for = std::chrono::milliseconds{1'000}}};
  Journal journal_;
  std::vector<std::string> heard_;
  Session session_{{.channel = "news",
                    .on_message = [this](std::string_view text) { heard_.emplace_back(text); }},
                   breaker_};
};

TEST_F(SessionChannelTest, subscribes_last_of_all_but_the_ping) {
  EXPECT_EQ(session_.output(),
            "*2\r\n$5\r\nHELLO\r\n$1\r\n3\r\n*2\r\n$9\r\nSUBSCRIBE\r\n$4\r\nnews\r\n"
            "*1\r\n$4\r\nPING\r\n");
  feed(kHello);
  feed(kSubscribed);
  EXPECT_EQ(session_.state(), Session::State::kHandshaking);
  feed("+PONG\r\n");
  EXPECT_EQ(session_.state(), Session::State::kReady);
}

TEST_F(SessionChannelTest, hears_what_comes_between_answers_and_during_the_log_in) {
  feed(std::string(kHello) + kSubscribed + message("early") + "+PONG\r\n");
  session_.submit(recording("a", journal_, {.deadline = now_ + std::chrono::seconds{1}}), now_);
  feed(message("one") + "$1\r\nx\r\n" + message(std::string("two\0", 4)));
  EXPECT_THAT(heard_, ElementsAre("early", "one", std::string("two\0", 4)));
  EXPECT_THAT(journal_, ElementsAre("a = x"));
}

TEST_F(SessionChannelTest, does_not_take_other_pushes_for_its_own) {
  make_ready();
  feed(message("x", "other"));
  feed(">2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\nk\r\n");
  feed(">1\r\n$7\r\nmessage\r\n");
  feed(kSubscribed);
  EXPECT_THAT(heard_, IsEmpty());
  EXPECT_EQ(session_.state(), Session::State::kReady);
}

TEST_F(SessionChannelTest, breaks_off_where_it_may_not_subscribe) {
  feed(kHello);
  feed("-NOPERM No permissions to access a channel\r\n");
  EXPECT_EQ(session_.state(), Session::State::kBroken);
  EXPECT_THAT(session_.error().message, HasSubstr("SUBSCRIBE was refused: NOPERM"));
}

TEST_F(SessionChannelTest, breaks_off_where_the_server_is_too_old) {
  feed("-ERR unknown command `HELLO`\r\n");
  EXPECT_THAT(session_.error().message, HasSubstr("HELLO was refused"));
}

TEST_F(SessionChannelTest, breaks_off_where_another_answer_stands_for_the_subscription) {
  feed(std::string(kHello) + "+PONG\r\n");
  EXPECT_EQ(session_.state(), Session::State::kBroken);
}

}  // namespace
}  // namespace llm_edge_cache::redis
