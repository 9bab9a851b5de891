#include "tiers/disk/read_gate.hpp"

#include <gtest/gtest.h>

namespace llm_edge_cache::disk {
namespace {

using std::chrono::milliseconds;

class ReadGateTest : public ::testing::Test {
 protected:
  void fail_until_open() {
    for (int i = 0; i < 2; ++i) {
      ASSERT_TRUE(gate_.try_enter(now_));
      gate_.record_failure(now_);
    }
    ASSERT_FALSE(gate_.try_enter(now_));
  }

  ReadGate gate_{{.failures = 2, .open_for = milliseconds{100}}};
  ReadGate::TimePoint now_{std::chrono::hours{1}};
};

TEST_F(ReadGateTest, is_shut_while_any_read_is_overdue) {
  gate_.begin_overdue();
  gate_.begin_overdue();
  EXPECT_FALSE(gate_.try_enter(now_));
  gate_.end_overdue();
  EXPECT_FALSE(gate_.try_enter(now_));
  EXPECT_EQ(gate_.state(), BreakerState::kOpen);
  gate_.end_overdue();
  EXPECT_TRUE(gate_.try_enter(now_));
  EXPECT_EQ(gate_.state(), BreakerState::kClosed);
}

TEST_F(ReadGateTest, lets_one_probe_in_when_it_has_been_open_long_enough) {
  fail_until_open();
  now_ += milliseconds{100};
  EXPECT_TRUE(gate_.try_enter(now_));
  EXPECT_FALSE(gate_.try_enter(now_));
  gate_.record_success();
  EXPECT_TRUE(gate_.try_enter(now_));
}

TEST_F(ReadGateTest, stays_open_for_another_period_after_a_probe_in_vain) {
  fail_until_open();
  now_ += milliseconds{100};
  ASSERT_TRUE(gate_.try_enter(now_));
  gate_.record_failure(now_);
  now_ += milliseconds{99};
  EXPECT_FALSE(gate_.try_enter(now_));
  now_ += milliseconds{1};
  EXPECT_TRUE(gate_.try_enter(now_));
}

TEST_F(ReadGateTest, a_probe_that_read_nothing_leaves_its_place_to_a_later_one) {
  fail_until_open();
  now_ += milliseconds{100};
  ASSERT_TRUE(gate_.try_enter(now_));
  gate_.abandon(now_);
  EXPECT_EQ(gate_.state(), BreakerState::kOpen);
  now_ += milliseconds{100};
  EXPECT_TRUE(gate_.try_enter(now_));
}

TEST_F(ReadGateTest, a_reader_that_read_nothing_says_nothing_of_the_disk) {
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(gate_.try_enter(now_));
    gate_.abandon(now_);
  }
  EXPECT_EQ(gate_.state(), BreakerState::kClosed);
}

}  // namespace
}  // namespace llm_edge_cache::disk
