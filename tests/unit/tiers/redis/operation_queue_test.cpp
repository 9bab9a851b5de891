#include "tiers/redis/operation_queue.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "tests/unit/tiers/redis/recording_operation.hpp"

namespace llm_edge_cache::redis {
namespace {

class OperationQueueTest : public ::testing::Test {
 protected:
  OperationQueue::Push push(OperationQueue& queue, bool ordered = false) {
    OperationQueue::Item item{recording("a", journal_), ordered};
    const OperationQueue::Push pushed = queue.push(item);
    const bool taken = item.operation == nullptr;
    EXPECT_EQ(taken,
              pushed == OperationQueue::Push::kFirst || pushed == OperationQueue::Push::kQueued);
    return pushed;
  }

  Journal journal_;
};

TEST_F(OperationQueueTest, asks_for_one_wake_up_per_batch) {
  OperationQueue queue(10);
  std::vector<OperationQueue::Item> taken;
  EXPECT_EQ(push(queue), OperationQueue::Push::kFirst);
  EXPECT_EQ(push(queue), OperationQueue::Push::kQueued);
  EXPECT_EQ(push(queue, true), OperationQueue::Push::kQueued);
  queue.take(taken);
  ASSERT_EQ(taken.size(), 3U);
  EXPECT_FALSE(taken[1].ordered);
  EXPECT_TRUE(taken[2].ordered);
  EXPECT_EQ(push(queue), OperationQueue::Push::kFirst);
}

TEST_F(OperationQueueTest, is_bounded) {
  OperationQueue queue(2);
  (void)push(queue);
  (void)push(queue);
  EXPECT_EQ(push(queue), OperationQueue::Push::kFull);
}

TEST_F(OperationQueueTest, takes_nothing_once_it_is_closed) {
  OperationQueue queue(2);
  queue.close();
  EXPECT_EQ(push(queue), OperationQueue::Push::kClosed);
}

TEST_F(OperationQueueTest, loses_nothing_between_threads) {
  constexpr int kThreads = 3;
  constexpr int kEach = 3'000;
  OperationQueue queue(kThreads * kEach);
  std::atomic<int> wake_ups{0};
  std::vector<std::thread> producers;
  for (int t = 0; t < kThreads; ++t) {
    producers.emplace_back([&] {
      for (int i = 0; i < kEach; ++i) {
        OperationQueue::Item item{recording("x", journal_), false};
        if (queue.push(item) == OperationQueue::Push::kFirst) ++wake_ups;
      }
    });
  }
  std::size_t taken_in_all = 0;
  int batches = 0;
  while (taken_in_all < kThreads * kEach) {
    std::vector<OperationQueue::Item> taken;
    queue.take(taken);
    taken_in_all += taken.size();
    batches += taken.empty() ? 0 : 1;
    std::this_thread::yield();
  }
  for (std::thread& producer : producers) producer.join();
  EXPECT_EQ(wake_ups, batches);
}

}  // namespace
}  // namespace llm_edge_cache::redis
