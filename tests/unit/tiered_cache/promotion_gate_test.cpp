#include "core/promotion_gate.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "tests/support/entries.hpp"

namespace llm_edge_cache::test {
namespace {

struct PromotionGateTest : ::testing::Test {
  bool promotes(PromotionGate::Ticket ticket) {
    bool ran = false;
    const bool allowed = gate.try_promote(key, ticket, [&] { ran = true; });
    EXPECT_EQ(allowed, ran);
    return ran;
  }
  static void nothing() {}

  PromotionGate gate;
  const KeyDigest key = key_of(7);
};

TEST_F(PromotionGateTest, lets_a_lookup_promote_where_nothing_happened) {
  const auto ticket = gate.ticket(key);
  EXPECT_TRUE(promotes(ticket));
  EXPECT_TRUE(promotes(ticket)) << "promotions do not exclude each other";
}

TEST_F(PromotionGateTest, a_removal_ticket_outlives_stores_and_no_removal) {
  int ran = 0;
  const auto run = [&](PromotionGate::Ticket ticket) {
    return gate.try_unless_removed(key, ticket, [&] { ++ran; });
  };
  const auto before = gate.removal_ticket(key);
  gate.store(key, nothing);
  EXPECT_TRUE(run(before));
  gate.begin_removal(key, nothing);
  EXPECT_FALSE(run(before));
  EXPECT_FALSE(run(gate.removal_ticket(key))) << "the removal is still under way";
  gate.end_removal(key);
  EXPECT_FALSE(run(before));
  EXPECT_TRUE(run(gate.removal_ticket(key)));
  gate.begin_clear();
  gate.end_clear();
  EXPECT_EQ(ran, 2);
}

TEST_F(PromotionGateTest, rejects_a_ticket_from_before_a_store) {
  const auto ticket = gate.ticket(key);
  gate.store(key, nothing);
  EXPECT_FALSE(promotes(ticket));
  EXPECT_TRUE(promotes(gate.ticket(key)));
}

TEST_F(PromotionGateTest, rejects_tickets_from_before_during_and_across_a_removal) {
  const auto before = gate.ticket(key);
  gate.begin_removal(key, nothing);
  const auto during = gate.ticket(key);
  EXPECT_FALSE(promotes(before));
  EXPECT_FALSE(promotes(during));
  gate.end_removal(key);
  EXPECT_FALSE(promotes(before));
  EXPECT_FALSE(promotes(during));
  EXPECT_TRUE(promotes(gate.ticket(key)));
}

TEST_F(PromotionGateTest, waits_for_the_last_of_overlapping_removals) {
  gate.begin_removal(key, nothing);
  gate.begin_clear();
  gate.end_removal(key);
  EXPECT_FALSE(promotes(gate.ticket(key)));
  gate.end_clear();
  EXPECT_TRUE(promotes(gate.ticket(key)));
}

TEST_F(PromotionGateTest, leaves_the_keys_of_other_shards_alone) {
  const auto ticket = gate.ticket(key);
  gate.begin_removal(key_of(8), nothing);
  EXPECT_TRUE(promotes(ticket));
  gate.end_removal(key_of(8));
}

// The upper tier holds a version; a removal erases it and then takes it out of the lower tier. What
// a reader finds in the upper tier after a removal must be younger than that removal.
TEST_F(PromotionGateTest, no_version_outlives_its_removal_under_contention) {
  constexpr int kRounds = 2'000;
  std::atomic<int> lower{1};
  std::atomic<int> upper{0};
  std::atomic<bool> stop{false};
  std::vector<std::thread> readers;
  for (int i = 0; i < 3; ++i) {
    readers.emplace_back([&] {
      while (!stop.load()) {
        const auto ticket = gate.ticket(key);
        const int version = lower.load();
        gate.try_promote(key, ticket, [&] { upper.store(version); });
      }
    });
  }
  for (int removed = 1; removed <= kRounds; ++removed) {
    gate.begin_removal(key, [&] { upper.store(0); });
    lower.store(removed + 1);
    gate.end_removal(key);
    const int found = upper.load();
    ASSERT_TRUE(found == 0 || found == removed + 1) << found << " came back after " << removed;
  }
  stop.store(true);
  for (auto& reader : readers) reader.join();
}

}  // namespace
}  // namespace llm_edge_cache::test
