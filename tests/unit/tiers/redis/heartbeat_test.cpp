#include "tiers/redis/heartbeat.hpp"

#include <gtest/gtest.h>

#include "tiers/redis/session.hpp"

namespace llm_edge_cache::redis {
namespace {

using std::chrono::milliseconds;

class HeartbeatTest : public ::testing::Test {
 protected:
  HeartbeatTest() {
    (void)session_.receive("+PONG\r\n", now_);
    session_.output().clear();
    session_.submit(std::make_unique<Heartbeat>(now_ + milliseconds{100}), now_);
  }

  TimePoint now_{std::chrono::hours{1}};
  CircuitBreaker breaker_{{.failures = 1, .open_for = milliseconds{1'000}}};
  Session session_{{}, breaker_};
};

TEST_F(HeartbeatTest, asks_for_nothing_but_an_answer) {
  EXPECT_EQ(session_.output(), "*1\r\n$4\r\nPING\r\n");
  (void)session_.receive("+PONG\r\n", now_);
  EXPECT_EQ(session_.outstanding(), 0U);
  EXPECT_EQ(breaker_.state(), BreakerState::kClosed);
}

TEST_F(HeartbeatTest, opens_the_breaker_and_stalls_the_connection_when_it_is_overdue) {
  session_.expire(now_ + milliseconds{99});
  EXPECT_FALSE(session_.stalled());
  session_.expire(now_ + milliseconds{100});
  EXPECT_TRUE(session_.stalled());
  EXPECT_EQ(breaker_.state(), BreakerState::kOpen);
}

TEST_F(HeartbeatTest, breaks_a_connection_off_that_answers_something_else) {
  (void)session_.receive("$4\r\nPONG\r\n", now_);
  EXPECT_EQ(session_.state(), Session::State::kBroken);
}

}  // namespace
}  // namespace llm_edge_cache::redis
