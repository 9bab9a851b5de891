#include <gmock/gmock.h>

#include <latch>
#include <stdexcept>
#include <thread>

#include "tests/unit/engine/engine_fixture.hpp"

namespace llm_edge_cache::engine {
namespace {

using ::testing::Each;

class CacheLoadTest : public EngineFixture<> {
 protected:
  /// Runs `during` on another thread while a load of key 1 is under way.
  template <class During>
  std::optional<int> load_while(TestCache& cache, During&& during) {
    return cache.get_or_load(1, [&](int, PutOptions&) {
      std::thread(during).join();
      return 10;
    });
  }
};

TEST_F(CacheLoadTest, a_miss_is_loaded_and_stored) {
  auto& cache = make(inline_options());
  int loads = 0;
  const auto loader = [&](int key, PutOptions&) {
    ++loads;
    return key * 10;
  };
  EXPECT_EQ(cache.get_or_load(1, loader), 10);
  EXPECT_EQ(cache.get_or_load(1, loader), 10);
  EXPECT_EQ(loads, 1);
}

TEST_F(CacheLoadTest, the_loader_may_say_how_to_store) {
  auto& cache = make(inline_options());
  (void)cache.get_or_load(1, [](int, PutOptions& put_options) {
    put_options.weight = 7;
    put_options.time_to_live = std::chrono::seconds(5);
    return 10;
  });
  EXPECT_EQ(cache.weight(), 7U);
  advance(std::chrono::seconds(5));
  EXPECT_EQ(cache.get(1), std::nullopt);
}

TEST_F(CacheLoadTest, a_loader_without_a_value_stores_nothing) {
  auto& cache = make(inline_options());
  const auto loaded = cache.get_or_load(1, [](int, PutOptions&) { return std::optional<int>(); });
  EXPECT_EQ(loaded, std::nullopt);
  EXPECT_EQ(cache.size(), 0U);
}

TEST_F(CacheLoadTest, threads_that_ask_at_once_share_one_load) {
  auto& cache = make(inline_options());
  constexpr int kAsking = 6;
  std::atomic<int> loads{0};
  std::atomic<int> asking{0};
  std::vector<std::optional<int>> answers(kAsking);
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < kAsking; ++i) {
    threads.emplace_back([&, i] {
      ++asking;
      answers[i] = cache.get_or_load(1, [&](int, PutOptions&) {
        while (asking < kAsking) std::this_thread::yield();
        return ++loads;
      });
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(loads, 1);
  EXPECT_THAT(answers, Each(std::optional<int>(1)));
}

TEST_F(CacheLoadTest, all_who_wait_get_the_loaders_exception) {
  auto& cache = make(inline_options());
  constexpr int kAsking = 4;
  std::atomic<int> asking{0};
  std::atomic<int> failed{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < kAsking; ++i) {
    threads.emplace_back([&] {
      ++asking;
      try {
        (void)cache.get_or_load(1, [&](int, PutOptions&) -> int {
          while (asking < kAsking) std::this_thread::yield();
          throw std::runtime_error("down");
        });
      } catch (const std::runtime_error& error) {
        EXPECT_STREQ(error.what(), "down");
        ++failed;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(failed, kAsking);
  EXPECT_EQ(cache.get_or_load(1, [](int, PutOptions&) { return 10; }), 10) << "starts afresh";
}

TEST_F(CacheLoadTest, a_remove_during_the_load_wins) {
  auto& cache = make(inline_options());
  EXPECT_EQ(load_while(cache, [&] { cache.remove(1); }), 10);
  EXPECT_EQ(cache.get(1), std::nullopt);
}

TEST_F(CacheLoadTest, a_clear_during_the_load_wins) {
  auto& cache = make(inline_options());
  EXPECT_EQ(load_while(cache, [&] { cache.clear(); }), 10);
  EXPECT_EQ(cache.get(1), std::nullopt);
}

TEST_F(CacheLoadTest, a_remove_if_during_the_load_wins) {
  auto& cache = make(inline_options());
  load_while(cache, [&] { cache.remove_if([](int, int) { return false; }); });
  EXPECT_EQ(cache.get(1), std::nullopt);
}

TEST_F(CacheLoadTest, a_put_during_the_load_wins) {
  auto& cache = make(inline_options());
  EXPECT_EQ(load_while(cache, [&] { cache.put(1, 99); }), 10);
  EXPECT_EQ(cache.get(1), 99);
}

TEST_F(CacheLoadTest, a_remove_of_another_key_does_not_matter) {
  auto& cache = make(inline_options());
  load_while(cache, [&] { cache.remove(2); });
  EXPECT_EQ(cache.get(1), 10);
}

TEST_F(CacheLoadTest, who_asks_after_an_invalidation_gets_a_load_of_its_own) {
  auto& cache = make(inline_options());
  std::optional<int> second;
  load_while(cache, [&] {
    cache.remove(1);
    second = cache.get_or_load(1, [](int, PutOptions&) { return 20; });
  });
  EXPECT_EQ(second, 20);
  EXPECT_EQ(cache.get(1), 20) << "the older load must not replace the newer";
}

TEST_F(CacheLoadTest, a_loader_may_ask_for_its_own_key) {
  auto& cache = make(inline_options());
  const auto loaded = cache.get_or_load(1, [&](int, PutOptions&) {
    return cache.get_or_load(1, [](int, PutOptions&) { return 5; }).value() + 1;
  });
  EXPECT_EQ(loaded, 6);
  EXPECT_EQ(cache.get(1), 6);
}

}  // namespace
}  // namespace llm_edge_cache::engine
