#include "tiers/common/store_context.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <vector>

namespace llm_edge_cache {
namespace {

class StoreContextTest : public ::testing::Test {
 protected:
  std::vector<TierEvent> events_;
  const L2Config config_{.max_pending_writes = 2, .max_pending_bytes = 100};
  StoreContext context_{config_, EntryFormat::of(config_).value(), std::make_shared<SystemClock>(),
                        [this](const TierEvent& event) { events_.push_back(event); }};
};

TEST_F(StoreContextTest, counts_a_dropped_write_and_says_why) {
  context_.count_dropped_write("the queue is full");
  EXPECT_EQ(context_.counters.snapshot().dropped_writes, 1U);
  ASSERT_EQ(events_.size(), 1U);
  EXPECT_EQ(events_[0].kind, TierEventKind::kWriteDropped);
  EXPECT_EQ(events_[0].message, "the queue is full");
}

TEST_F(StoreContextTest, counts_every_dropped_write_but_does_not_flood_the_log) {
  for (int i = 0; i < 1'000; ++i) context_.count_dropped_write("the queue is full");
  EXPECT_EQ(context_.counters.snapshot().dropped_writes, 1'000U);
  EXPECT_EQ(events_.size(), 1U);
}

TEST_F(StoreContextTest, holds_as_many_writes_as_the_configuration_allows) {
  const auto first = Ticket::acquire(context_.budget, 60);
  EXPECT_FALSE(Ticket::acquire(context_.budget, 41));
  const auto second = Ticket::acquire(context_.budget, 40);
  EXPECT_TRUE(first && second);
  EXPECT_FALSE(Ticket::acquire(context_.budget));
}

TEST_F(StoreContextTest, works_without_anybody_who_listens) {
  StoreContext silent(config_, EntryFormat::of(config_).value(), std::make_shared<SystemClock>(),
                      nullptr);
  silent.count_dropped_write("nobody hears it");
  EXPECT_EQ(silent.counters.snapshot().dropped_writes, 1U);
}

}  // namespace
}  // namespace llm_edge_cache
