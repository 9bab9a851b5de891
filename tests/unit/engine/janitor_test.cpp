#include "llm_edge_cache/engine/janitor.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <latch>

#include "llm_edge_cache/engine/cache.hpp"

namespace llm_edge_cache::engine {
namespace {

TEST(JanitorTest, ticks_until_it_ends) {
  std::latch ticked(3);
  std::atomic<int> ticks{0};
  {
    Janitor janitor(std::chrono::milliseconds(1), [&] {
      if (++ticks <= 3) ticked.count_down();
    });
    ticked.wait();
  }
  const int at_end = ticks;
  EXPECT_GE(at_end, 3);
  EXPECT_EQ(ticks, at_end);
}

TEST(JanitorTest, empties_a_cache_that_nobody_uses) {
  std::latch left(10);
  CacheOptions options;
  options.time_to_live = std::chrono::milliseconds(5);
  options.timer_tick = std::chrono::milliseconds(1);
  options.janitor_period = std::chrono::milliseconds(1);
  Cache<int, int> cache(options, {.listener = [&](int, int, RemovalCause cause) {
                          EXPECT_EQ(cause, RemovalCause::kExpired);
                          left.count_down();
                        }});
  for (int key = 0; key < 10; ++key) cache.put(key, key);
  left.wait();
  EXPECT_TRUE(cache.validate());
  EXPECT_EQ(cache.size(), 0U);
}

}  // namespace
}  // namespace llm_edge_cache::engine
