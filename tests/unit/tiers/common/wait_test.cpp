#include "tiers/common/wait.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace llm_edge_cache {
namespace {

using std::chrono::milliseconds;

TEST(WaitTest, is_what_was_configured) {
  EXPECT_EQ(wait_of(0), milliseconds{0});
  EXPECT_EQ(wait_of(100), milliseconds{100});
}

TEST(WaitTest, is_a_day_at_most_so_that_no_deadline_overflows) {
  constexpr auto kDay = std::chrono::hours{24};
  EXPECT_EQ(wait_of(kMaxWaitMs), kDay);
  EXPECT_EQ(wait_of(kMaxWaitMs + 1), kDay);
  EXPECT_EQ(wait_of(std::numeric_limits<std::uint64_t>::max()), kDay);
  const auto now = std::chrono::steady_clock::now();
  EXPECT_GT(now + wait_of(std::numeric_limits<std::uint64_t>::max()), now);
}

}  // namespace
}  // namespace llm_edge_cache
