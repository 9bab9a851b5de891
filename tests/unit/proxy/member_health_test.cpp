#include "proxy/member_health.hpp"

#include <gtest/gtest.h>

namespace llm_edge_cache::proxy {
namespace {

using std::chrono::milliseconds;

class MemberHealthTest : public ::testing::Test {
 protected:
  MemberHealth health_{{.max_errors = 3, .open_ms = 1'000}};
  MemberHealth::TimePoint now_{};
};

TEST_F(MemberHealthTest, one_silence_is_enough_to_pass_a_member_over) {
  EXPECT_TRUE(health_.admits(now_));
  health_.record_silence(now_);
  EXPECT_FALSE(health_.admits(now_));
  EXPECT_FALSE(health_.admits(now_ + milliseconds(999)));
}

TEST_F(MemberHealthTest, errors_are_enough_by_their_number) {
  health_.record_error(now_);
  health_.record_error(now_);
  EXPECT_TRUE(health_.admits(now_));
  health_.record_error(now_);
  EXPECT_FALSE(health_.admits(now_));
}

TEST_F(MemberHealthTest, an_answer_forgets_the_errors_before_it) {
  health_.record_error(now_);
  health_.record_error(now_);
  health_.record_answer();
  health_.record_error(now_);
  health_.record_error(now_);
  EXPECT_TRUE(health_.admits(now_));
}

TEST_F(MemberHealthTest, one_request_at_a_time_tries_a_member_after_the_period) {
  health_.record_silence(now_);
  now_ += milliseconds(1'000);
  EXPECT_TRUE(health_.admits(now_));
  EXPECT_FALSE(health_.admits(now_));
  health_.record_answer();
  EXPECT_TRUE(health_.admits(now_));
}

TEST_F(MemberHealthTest, a_trial_that_fails_or_shows_nothing_begins_another_period) {
  for (const bool is_silent : {true, false}) {
    health_.record_silence(now_);
    now_ += milliseconds(1'000);
    ASSERT_TRUE(health_.admits(now_));
    is_silent ? health_.record_silence(now_) : health_.record_nothing(now_);
    EXPECT_FALSE(health_.admits(now_));
    now_ += milliseconds(1'000);
    EXPECT_TRUE(health_.admits(now_));
    health_.record_answer();
  }
}

TEST_F(MemberHealthTest, an_attempt_that_was_given_up_says_nothing_about_a_healthy_member) {
  for (int i = 0; i < 10; ++i) health_.record_nothing(now_);
  EXPECT_TRUE(health_.admits(now_));
}

}  // namespace
}  // namespace llm_edge_cache::proxy
