#include "http/timer_wheel.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <random>
#include <vector>

namespace llm_edge_cache::http {
namespace {

using std::chrono::milliseconds;

class CountingTimer final : public Timer {
 public:
  int fired = 0;
  std::function<void()> hook;

 private:
  void on_expired() override {
    ++fired;
    if (hook) hook();
  }
};

class TimerWheelTest : public ::testing::Test {
 protected:
  void set(Timer& timer, std::int64_t delay_ms) { wheel_.set(timer, now_, milliseconds(delay_ms)); }
  // In steps of one tick, as a busy thread does.
  void pass(std::int64_t ms) {
    const TimePoint until = now_ + milliseconds(ms);
    while (now_ < until) {
      now_ = std::min(now_ + TimerWheel::kTick, until);
      wheel_.advance(now_);
    }
  }

  TimePoint now_{milliseconds(1'000'000)};
  TimerWheel wheel_{now_};
};

TEST_F(TimerWheelTest, timer_fires_once_and_never_early) {
  CountingTimer timer;
  set(timer, 100);
  pass(99);
  EXPECT_EQ(timer.fired, 0);
  pass(1 + TimerWheel::kTick.count());
  EXPECT_EQ(timer.fired, 1);
  EXPECT_FALSE(timer.is_set());
  pass(20'000);
  EXPECT_EQ(timer.fired, 1);
  EXPECT_EQ(wheel_.size(), 0U);
}

TEST_F(TimerWheelTest, delays_over_a_turn_wait_their_turns) {
  CountingTimer timer;
  set(timer, 75'000);
  pass(74'999);
  EXPECT_EQ(timer.fired, 0);
  pass(1 + TimerWheel::kTick.count());
  EXPECT_EQ(timer.fired, 1);
}

TEST_F(TimerWheelTest, setting_again_moves_the_deadline_both_ways) {
  CountingTimer later;
  set(later, 100);
  pass(50);
  set(later, 1'000);
  pass(900);
  EXPECT_EQ(later.fired, 0);
  pass(200);
  EXPECT_EQ(later.fired, 1);

  CountingTimer sooner;
  set(sooner, 10'000);
  set(sooner, 50);
  pass(100);
  EXPECT_EQ(sooner.fired, 1);
  pass(20'000);
  EXPECT_EQ(sooner.fired, 1);
}

TEST_F(TimerWheelTest, cancelled_and_destroyed_timers_do_not_fire) {
  CountingTimer cancelled;
  set(cancelled, 10);
  cancelled.cancel();
  {
    CountingTimer destroyed;
    set(destroyed, 10);
  }
  EXPECT_EQ(wheel_.size(), 0U);
  pass(1'000);
  EXPECT_EQ(cancelled.fired, 0);
}

TEST_F(TimerWheelTest, call_back_may_set_cancel_and_destroy_timers) {
  CountingTimer again;
  again.hook = [&] {
    if (again.fired < 3) set(again, 10);
  };
  CountingTimer victim;
  auto owned = std::make_unique<CountingTimer>();
  CountingTimer killer;
  killer.hook = [&] {
    victim.cancel();
    owned.reset();
  };
  // Same slot: whatever the order, the killer leaves no dangling timer behind.
  set(victim, 500);
  set(killer, 500);
  set(*owned, 500);
  set(again, 10);
  pass(1'000);
  EXPECT_EQ(again.fired, 3);
  EXPECT_EQ(killer.fired, 1);
  EXPECT_EQ(wheel_.size(), 0U);
}

TEST_F(TimerWheelTest, timer_may_destroy_itself) {
  auto timer = std::make_unique<CountingTimer>();
  timer->hook = [&] { timer.reset(); };
  set(*timer, 10);
  pass(100);
  EXPECT_EQ(timer, nullptr);
}

TEST_F(TimerWheelTest, long_pause_fires_all_that_is_due) {
  CountingTimer timers[50];
  std::int64_t delay = 0;
  for (CountingTimer& timer : timers) set(timer, delay += 1'000);
  now_ += milliseconds(1'000'000);
  EXPECT_EQ(wheel_.advance(now_), 50U);
}

TEST_F(TimerWheelTest, wheel_may_go_before_its_timers) {
  CountingTimer timer;
  {
    TimerWheel wheel(now_);
    wheel.set(timer, now_, milliseconds(10));
  }
  EXPECT_FALSE(timer.is_set());
}

TEST_F(TimerWheelTest, next_due_is_when_advance_has_something_to_do) {
  EXPECT_FALSE(wheel_.next_due());
  CountingTimer timer;
  set(timer, 1'000);
  ASSERT_TRUE(wheel_.next_due());
  EXPECT_GE(*wheel_.next_due(), now_ + milliseconds(1'000));
  now_ = *wheel_.next_due();
  EXPECT_EQ(wheel_.advance(now_), 1U);
}

// Against a plain list of deadlines.
TEST_F(TimerWheelTest, random_timers_fire_within_a_tick_of_their_deadline) {
  std::mt19937 random(7);
  std::uniform_int_distribution<std::int64_t> delays(0, 30'000);
  struct Expected {
    CountingTimer timer;
    TimePoint deadline;
    TimePoint fired_at;
  };
  std::vector<std::unique_ptr<Expected>> all;
  for (int i = 0; i < 500; ++i) {
    all.push_back(std::make_unique<Expected>());
    Expected& one = *all.back();
    one.timer.hook = [this, &one] { one.fired_at = now_; };
    const std::int64_t delay = delays(random);
    one.deadline = now_ + milliseconds(delay);
    set(one.timer, delay);
    if (i % 3 == 0) pass(delays(random) % 50);
    if (i % 5 == 0 && one.timer.is_set()) {
      const std::int64_t other = delays(random);
      one.deadline = now_ + milliseconds(other);
      set(one.timer, other);
    }
  }
  pass(40'000);
  for (const auto& one : all) {
    ASSERT_EQ(one->timer.fired, 1);
    EXPECT_GE(one->fired_at, one->deadline);
    EXPECT_LE(one->fired_at, one->deadline + 2 * TimerWheel::kTick);
  }
}

}  // namespace
}  // namespace llm_edge_cache::http
