#include "tiers/common/budget.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace llm_edge_cache {
namespace {

TEST(BudgetTest, is_bounded_in_number) {
  Budget budget({.max_count = 2});
  const auto first = Ticket::acquire(budget, 1'000'000);
  const auto second = Ticket::acquire(budget);
  EXPECT_TRUE(first && second);
  EXPECT_FALSE(Ticket::acquire(budget));
  EXPECT_EQ(budget.count(), 2U);
}

TEST(BudgetTest, is_bounded_in_bytes) {
  Budget budget({.max_count = 10, .max_bytes = 100});
  const auto first = Ticket::acquire(budget, 60);
  EXPECT_FALSE(Ticket::acquire(budget, 41));
  EXPECT_TRUE(Ticket::acquire(budget, 40));
  EXPECT_EQ(budget.bytes(), 60U);
}

TEST(BudgetTest, has_room_again_when_a_ticket_is_gone) {
  Budget budget({.max_count = 1, .max_bytes = 10});
  {
    auto ticket = Ticket::acquire(budget, 10);
    ASSERT_TRUE(ticket);
    const Ticket moved = std::move(*ticket);
    EXPECT_EQ(budget.bytes(), 10U);
  }
  EXPECT_EQ(budget.count(), 0U);
  EXPECT_EQ(budget.bytes(), 0U);
}

TEST(BudgetTest, is_never_exceeded_by_threads_at_once) {
  Budget budget({.max_count = 3});
  std::atomic<int> held{0};
  std::atomic<bool> exceeded{false};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 2'000; ++i) {
        const auto ticket = Ticket::acquire(budget);
        if (!ticket) continue;
        if (held.fetch_add(1) >= 3) exceeded = true;
        held.fetch_sub(1);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_FALSE(exceeded);
  EXPECT_EQ(budget.count(), 0U);
}

}  // namespace
}  // namespace llm_edge_cache
