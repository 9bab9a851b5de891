#include "observability/thread_slot.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <barrier>
#include <cstddef>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

namespace llm_edge_cache::observability {
namespace {

TEST(ThreadSlotTest, is_the_same_on_every_call) {
  EXPECT_EQ(thread_slot(), thread_slot());
}

TEST(ThreadSlotTest, belongs_to_one_living_thread_unless_shared) {
  constexpr int kThreads = 100;  // more than there are slots
  std::mutex mu;
  std::multiset<std::size_t> seen;
  std::barrier all_have_one(kThreads);
  std::vector<std::jthread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      const auto slot = thread_slot();
      {
        const std::lock_guard lock(mu);
        seen.insert(slot);
      }
      all_have_one.arrive_and_wait();
    });
  }
  threads.clear();
  for (const auto slot : seen) {
    EXPECT_LT(slot, kThreadSlots);
    if (slot == kSharedSlot) continue;
    EXPECT_EQ(seen.count(slot), 1U) << slot;
  }
  EXPECT_GT(seen.count(kSharedSlot), 0U);
}

TEST(ThreadSlotTest, returns_when_its_thread_ends) {
  for (int i = 0; i < 200; ++i) {
    std::size_t slot = kSharedSlot;
    std::thread([&] { slot = thread_slot(); }).join();
    EXPECT_NE(slot, kSharedSlot);
  }
}

}  // namespace
}  // namespace llm_edge_cache::observability
