#include "tiers/common/tier_event.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace llm_edge_cache {
namespace {

class TierEventLogTest : public ::testing::Test {
 protected:
  std::vector<TierEvent> told_;
  TierEventLog log_{[this](const TierEvent& event) { told_.push_back(event); }};
  TierEventLog::TimePoint now_{std::chrono::hours{1}};
};

TEST_F(TierEventLogTest, tells_the_first_event_of_each_kind) {
  log_.report(TierEventKind::kConnected, "up", now_);
  log_.report(TierEventKind::kConnectionLost, "down", now_);
  ASSERT_EQ(told_.size(), 2U);
  EXPECT_EQ(told_[0].message, "up");
  EXPECT_EQ(told_[1].kind, TierEventKind::kConnectionLost);
  EXPECT_EQ(told_[1].suppressed, 0U);
}

TEST_F(TierEventLogTest, tells_one_a_minute_and_how_many_it_left_out) {
  for (int i = 0; i < 5; ++i) log_.report(TierEventKind::kCorruptEntry, "bad", now_);
  log_.report(TierEventKind::kCorruptEntry, "bad", now_ + std::chrono::seconds{59});
  EXPECT_EQ(told_.size(), 1U);
  log_.report(TierEventKind::kCorruptEntry, "again", now_ + std::chrono::seconds{60});
  ASSERT_EQ(told_.size(), 2U);
  EXPECT_EQ(told_[1].message, "again");
  EXPECT_EQ(told_[1].suppressed, 5U);
}

TEST_F(TierEventLogTest, needs_no_listener) {
  TierEventLog silent{nullptr};
  silent.report(TierEventKind::kConnected, "up", now_);
}

TEST(TierEventKindTest, has_a_stable_name) {
  EXPECT_EQ(to_string(TierEventKind::kConnected), "connected");
  EXPECT_EQ(to_string(TierEventKind::kConnectFailed), "connect_failed");
  EXPECT_EQ(to_string(TierEventKind::kConnectionLost), "connection_lost");
  EXPECT_EQ(to_string(TierEventKind::kCorruptEntry), "corrupt_entry");
  EXPECT_EQ(to_string(TierEventKind::kStoreError), "store_error");
  EXPECT_EQ(to_string(TierEventKind::kWriteDropped), "write_dropped");
}

}  // namespace
}  // namespace llm_edge_cache
