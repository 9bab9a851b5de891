#include "llm_edge_cache/engine/timer_wheel.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <random>
#include <vector>

namespace llm_edge_cache::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

struct FakeNodes {
  [[nodiscard]] WritePart& write_part(Handle handle) { return parts[handle]; }
  std::deque<WritePart> parts{2000};
};

class TimerWheelTest : public ::testing::Test {
 protected:
  void schedule(Handle handle, std::int64_t deadline_ns) {
    deadlines_[handle] = deadline_ns;
    wheel_.schedule(handle, deadline_ns);
  }
  void prolong(Handle handle, std::int64_t deadline_ns) { deadlines_[handle] = deadline_ns; }

  std::vector<Handle> fired_by(std::int64_t now_ns) {
    std::vector<Handle> fired;
    EXPECT_FALSE(wheel_.advance(
        now_ns, 1'000'000, [this](Handle handle) { return deadlines_[handle]; },
        [&](Handle handle) { fired.push_back(handle); }));
    return fired;
  }

  void TearDown() override { EXPECT_TRUE(wheel_.validate()); }

  FakeNodes nodes_;
  TimerWheel<FakeNodes> wheel_{nodes_, 1000, 0};
  std::vector<std::int64_t> deadlines_ = std::vector<std::int64_t>(2000);
};

TEST_F(TimerWheelTest, fires_at_the_deadline_and_not_before) {
  schedule(1, 1500);
  EXPECT_THAT(fired_by(1499), IsEmpty());
  EXPECT_THAT(fired_by(1500), ElementsAre(1));
  EXPECT_THAT(fired_by(9999), IsEmpty());
}

TEST_F(TimerWheelTest, fires_earlier_deadlines_first) {
  schedule(1, 900'000);
  schedule(2, 1005);
  schedule(3, 70'000);
  EXPECT_THAT(fired_by(1'000'000), ElementsAre(2, 3, 1));
}

TEST_F(TimerWheelTest, a_deadline_in_the_past_fires_at_once) {
  EXPECT_THAT(fired_by(5000), IsEmpty());
  schedule(1, 10);
  EXPECT_THAT(fired_by(5000), ElementsAre(1));
}

TEST_F(TimerWheelTest, a_cancelled_node_does_not_fire) {
  schedule(1, 1500);
  schedule(2, 1500);
  wheel_.cancel(1);
  wheel_.cancel(1);
  EXPECT_FALSE(wheel_.scheduled(1));
  EXPECT_THAT(fired_by(2000), ElementsAre(2));
}

TEST_F(TimerWheelTest, a_deadline_that_moved_is_kept) {
  schedule(1, 1500);
  prolong(1, 800'000);
  EXPECT_THAT(fired_by(1500), IsEmpty());
  EXPECT_TRUE(wheel_.scheduled(1));
  EXPECT_THAT(fired_by(799'999), IsEmpty());
  EXPECT_THAT(fired_by(800'000), ElementsAre(1));
}

TEST_F(TimerWheelTest, a_deadline_beyond_the_horizon_is_kept) {
  constexpr std::int64_t kFar = std::int64_t{1} << 55;
  schedule(1, kFar);
  EXPECT_THAT(fired_by(std::int64_t{1} << 40), IsEmpty());
  EXPECT_TRUE(wheel_.scheduled(1));
}

TEST_F(TimerWheelTest, a_budget_is_kept_and_the_rest_comes_next_time) {
  for (Handle handle = 0; handle < 10; ++handle) schedule(handle, 1500);
  int fired = 0;
  const auto advance = [&] {
    return wheel_.advance(
        2000, 4, [](Handle) { return std::int64_t{1500}; }, [&](Handle) { ++fired; });
  };
  EXPECT_TRUE(advance());
  EXPECT_TRUE(advance());
  EXPECT_FALSE(advance());
  EXPECT_EQ(fired, 10);
}

TEST_F(TimerWheelTest, a_slot_that_begins_just_now_is_not_overtaken_by_a_later_one) {
  schedule(1, 1000 + 70);
  EXPECT_THAT(fired_by(1000 + 63), IsEmpty());
  schedule(2, 1000 + 90);
  EXPECT_THAT(fired_by(1000 + 80), ElementsAre(1));
}

TEST_F(TimerWheelTest, random_deadlines_fire_exactly_when_due) {
  std::mt19937_64 random(3);
  std::int64_t now = 1000;
  std::vector<bool> waiting(2000, false);
  for (int step = 0; step < 3000; ++step) {
    const auto handle = static_cast<Handle>(random() % 2000);
    if (waiting[handle]) {
      wheel_.cancel(handle);
    } else {
      schedule(handle, now + 1 + static_cast<std::int64_t>(random() >> (24 + random() % 40)));
    }
    waiting[handle] = !waiting[handle];
    now += static_cast<std::int64_t>(random() >> (30 + random() % 34));
    for (const Handle fired : fired_by(now)) {
      ASSERT_TRUE(waiting[fired]);
      ASSERT_LE(deadlines_[fired], now);
      waiting[fired] = false;
    }
    for (Handle at = 0; at < 2000; ++at) {
      ASSERT_TRUE(!waiting[at] || deadlines_[at] > now);
    }
  }
}

TEST(TimerWheelTickTest, coarse_ticks_fire_less_than_a_tick_late) {
  FakeNodes nodes;
  TimerWheel<FakeNodes> wheel(nodes, 0, 10);
  wheel.schedule(1, 5000);
  int fired = 0;
  const auto advance = [&](std::int64_t now) {
    wheel.advance(now, 10, [](Handle) { return std::int64_t{5000}; }, [&](Handle) { ++fired; });
  };
  advance(4999);
  EXPECT_EQ(fired, 0);
  advance(5000 + 1023);
  EXPECT_EQ(fired, 1);
}

}  // namespace
}  // namespace llm_edge_cache::engine
