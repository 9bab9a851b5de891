#include "tiers/redis/tier_context.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "tests/support/entries.hpp"

namespace llm_edge_cache::redis {
namespace {

class TierContextTest : public ::testing::Test {
 protected:
  std::vector<TierEvent> events_;
  const L2Config config_{.key_prefix = "p{x}:"};
  TierContext context_{config_, EntryFormat::of(config_).value(), std::make_shared<SystemClock>(),
                       [this](const TierEvent& event) { events_.push_back(event); }};
};

TEST_F(TierContextTest, tells_of_a_server_that_answers_with_errors) {
  context_.count_failure({ErrorCode::kProtocol, "redis: OOM"});
  EXPECT_EQ(context_.counters.snapshot().errors_protocol, 1U);
  ASSERT_EQ(events_.size(), 1U);
  EXPECT_EQ(events_[0].kind, TierEventKind::kStoreError);
  EXPECT_EQ(events_[0].message, "redis: OOM");
}

TEST_F(TierContextTest, only_counts_what_the_connection_tells_of_itself) {
  context_.count_failure({ErrorCode::kDeadlineExceeded, "redis: no answer in time"});
  context_.count_failure({ErrorCode::kUnavailable, "redis: not available"});
  EXPECT_EQ(context_.counters.snapshot().errors_timeout, 1U);
  EXPECT_TRUE(events_.empty());
}

TEST_F(TierContextTest, a_hash_tag_in_the_prefix_puts_all_keys_into_one_slot) {
  EXPECT_EQ(context_.stored_key(test::key_of(1)), "p{x}:" + to_hex(test::key_of(1)));
  EXPECT_EQ(context_.slot(test::key_of(1)), key_slot("x"));
  EXPECT_EQ(context_.slot(test::key_of(2)), key_slot("x"));
}

TEST_F(TierContextTest, needs_nobody_who_observes_changes) {
  context_.tell_changed(test::key_of(1));
}

}  // namespace
}  // namespace llm_edge_cache::redis
