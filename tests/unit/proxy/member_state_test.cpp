#include "proxy/member_state.hpp"

#include <gtest/gtest.h>

#include <numeric>

namespace llm_edge_cache::proxy {
namespace {

using std::chrono::milliseconds;

std::uint64_t count(const MemberState& state, AttemptResult result) {
  return state.report("g", "u").attempts[static_cast<std::size_t>(result)];
}

TEST(MemberStateTest, counts_each_attempt_once_by_what_it_showed) {
  MemberState state({.max_errors = 100});
  const MemberState::TimePoint start{};
  for (const std::uint16_t status : std::initializer_list<std::uint16_t>{200, 404, 429, 500, 503}) {
    state.record_status(status, start, start + milliseconds(3));
  }
  state.record_failure(AttemptResult::kTimeout, start);
  state.record_nothing(start);
  EXPECT_EQ(count(state, AttemptResult::kOk), 2U);
  EXPECT_EQ(count(state, AttemptResult::kRateLimited), 1U);
  EXPECT_EQ(count(state, AttemptResult::kServerError), 2U);
  EXPECT_EQ(count(state, AttemptResult::kTimeout), 1U);
  const auto counts = state.report("g", "u").time_to_first_byte.counts;
  EXPECT_EQ(std::accumulate(counts.begin(), counts.end(), std::uint64_t{0}), 5U);
}

TEST(MemberStateTest, tells_who_it_is_and_whether_it_is_passed_over) {
  MemberState state({});
  EXPECT_EQ(state.report("g", "u").breaker, BreakerState::kClosed);
  state.record_failure(AttemptResult::kConnectFailed, {});
  const auto report = state.report("g", "http://a");
  EXPECT_EQ(report.breaker, BreakerState::kOpen);
  EXPECT_EQ(report.group, "g");
  EXPECT_EQ(report.url, "http://a");
}

TEST(MemberStateTest, a_rate_limit_is_no_sign_of_a_dead_member) {
  MemberState state({.max_errors = 1});
  state.record_status(429, {}, {});
  EXPECT_TRUE(state.admits({}));
  state.record_status(500, {}, {});
  EXPECT_FALSE(state.admits({}));
}

TEST(AttemptResultTest, each_has_a_name_of_its_own) {
  EXPECT_EQ(to_string(AttemptResult::kOk), "ok");
  EXPECT_EQ(to_string(AttemptResult::kRateLimited), "rate_limited");
  EXPECT_EQ(to_string(AttemptResult::kServerError), "server_error");
  EXPECT_EQ(to_string(AttemptResult::kConnectFailed), "connect_failed");
  EXPECT_EQ(to_string(AttemptResult::kTimeout), "timeout");
  EXPECT_EQ(to_string(AttemptResult::kBroken), "broken");
}

}  // namespace
}  // namespace llm_edge_cache::proxy
