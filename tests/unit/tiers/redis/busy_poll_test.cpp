#include "tiers/redis/busy_poll.hpp"

#include <gtest/gtest.h>

namespace llm_edge_cache::redis {
namespace {

using std::chrono::microseconds;

constexpr microseconds kBound{50};

class BusyPollTest : public ::testing::Test {
 protected:
  // How many looks, 10 us apart, a wait gets that nothing ends.
  int looks_in_vain() {
    int looks = 0;
    while (poll_.look_again(true, now_)) {
      ++looks;
      now_ += microseconds(10);
    }
    return looks;
  }

  // A wait that is polled and ends with an answer.
  bool finds_an_answer() {
    const bool looks = poll_.look_again(true, now_);
    poll_.on_work();
    return looks;
  }

  void lose_patience() {
    for (int i = 0; i < BusyPoll::kPatience; ++i) ASSERT_GT(looks_in_vain(), 0);
  }

  BusyPoll poll_{kBound};
  BusyPoll::TimePoint now_{};
};

TEST_F(BusyPollTest, looks_again_until_the_bound_and_then_sleeps) {
  EXPECT_EQ(looks_in_vain(), 5);
}

TEST_F(BusyPollTest, sleeps_at_once_where_nobody_waits) {
  EXPECT_FALSE(poll_.look_again(false, now_));
}

TEST_F(BusyPollTest, goes_on_with_a_wait_whose_last_lookup_ended_otherwise) {
  ASSERT_TRUE(poll_.look_again(true, now_));
  EXPECT_TRUE(poll_.look_again(false, now_ + kBound / 2));
  EXPECT_FALSE(poll_.look_again(false, now_ + kBound));
}

TEST_F(BusyPollTest, never_looks_again_where_the_bound_is_zero) {
  BusyPoll never(microseconds(0));
  for (unsigned i = 0; i < 2 * BusyPoll::kRetryEvery; ++i)
    EXPECT_FALSE(never.look_again(true, now_));
}

TEST_F(BusyPollTest, measures_every_wait_from_its_own_beginning) {
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(finds_an_answer()) << i;
    now_ += kBound * 10;
  }
}

TEST_F(BusyPollTest, does_without_once_it_was_in_vain_too_often) {
  lose_patience();
  EXPECT_EQ(looks_in_vain(), 0);
}

TEST_F(BusyPollTest, tries_one_wait_of_many_again_and_is_patient_where_that_pays) {
  lose_patience();
  for (unsigned i = 1; i < BusyPoll::kRetryEvery; ++i) ASSERT_EQ(looks_in_vain(), 0) << i;
  ASSERT_TRUE(finds_an_answer());
  EXPECT_TRUE(finds_an_answer());
}

TEST_F(BusyPollTest, stays_impatient_where_the_wait_it_tries_is_in_vain) {
  lose_patience();
  for (unsigned i = 1; i < BusyPoll::kRetryEvery; ++i) ASSERT_EQ(looks_in_vain(), 0) << i;
  ASSERT_GT(looks_in_vain(), 0);
  EXPECT_EQ(looks_in_vain(), 0);
}

TEST_F(BusyPollTest, an_answer_makes_up_for_one_wait_in_vain) {
  for (int i = 1; i < BusyPoll::kPatience; ++i) ASSERT_GT(looks_in_vain(), 0);
  ASSERT_TRUE(finds_an_answer());
  EXPECT_GT(looks_in_vain(), 0);
  EXPECT_GT(looks_in_vain(), 0);
  EXPECT_EQ(looks_in_vain(), 0);
}

TEST_F(BusyPollTest, work_that_came_without_a_wait_counts_for_nothing) {
  lose_patience();
  for (int i = 0; i < 100; ++i) poll_.on_work();
  EXPECT_EQ(looks_in_vain(), 0);
}

}  // namespace
}  // namespace llm_edge_cache::redis
