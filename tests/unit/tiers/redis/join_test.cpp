#include "tiers/redis/join.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace llm_edge_cache::redis {
namespace {

TEST(JoinTest, calls_back_after_the_last_part_with_the_first_error) {
  Budget budget({.max_count = 1});
  std::vector<Status> outcomes;
  Join join(3, std::move(*Ticket::acquire(budget)),
            [&](Status status) { outcomes.push_back(std::move(status)); });
  join.end_part({});
  join.end_part(Error{ErrorCode::kUnavailable, "first"});
  EXPECT_TRUE(outcomes.empty());
  join.end_part(Error{ErrorCode::kIo, "second"});
  ASSERT_EQ(outcomes.size(), 1U);
  EXPECT_EQ(outcomes[0].error().message, "first");
}

TEST(JoinTest, is_ok_where_all_parts_were) {
  Budget budget({.max_count = 1});
  bool ok = false;
  {
    Join join(1, std::move(*Ticket::acquire(budget)),
              [&](const Status& status) { ok = status.ok(); });
    EXPECT_EQ(budget.count(), 1U);
    join.end_part({});
  }
  EXPECT_TRUE(ok);
  EXPECT_EQ(budget.count(), 0U);
}

}  // namespace
}  // namespace llm_edge_cache::redis
