#include "observability/counter_set.hpp"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace llm_edge_cache::observability {
namespace {

enum class Fruit { kApple, kPear, kCount };

TEST(CounterSetTest, starts_at_zero_and_adds_up) {
  CounterSet<Fruit> counters;
  EXPECT_EQ(counters.read(Fruit::kApple), 0U);
  counters.add(Fruit::kApple);
  counters.add(Fruit::kApple, 41);
  EXPECT_EQ(counters.read(Fruit::kApple), 42U);
  EXPECT_EQ(counters.read(Fruit::kPear), 0U);
}

TEST(CounterSetTest, loses_no_addition_with_more_threads_than_slots) {
  constexpr int kThreads = 80;
  constexpr int kAdditions = 2'000;
  CounterSet<Fruit> counters;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < kThreads; ++i) {
      threads.emplace_back([&] {
        for (int n = 0; n < kAdditions; ++n) counters.add(Fruit::kPear);
      });
    }
  }
  EXPECT_EQ(counters.read(Fruit::kPear), std::uint64_t{kThreads} * kAdditions);
}

TEST(CounterSetTest, keeps_the_counts_of_threads_that_ended) {
  CounterSet<Fruit> counters;
  for (int i = 0; i < 3; ++i) std::thread([&] { counters.add(Fruit::kApple); }).join();
  EXPECT_EQ(counters.read(Fruit::kApple), 3U);
}

}  // namespace
}  // namespace llm_edge_cache::observability
