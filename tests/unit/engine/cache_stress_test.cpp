// Many threads at once. What they check is what holds at every moment; the sanitizers check the
// rest.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "llm_edge_cache/engine/cache.hpp"

namespace llm_edge_cache::engine {
namespace {

constexpr int kThreads = 4;

template <class Work>
void run_threads(Work&& work) {
  std::vector<std::thread> threads;
  for (int id = 0; id < kThreads; ++id) threads.emplace_back([&work, id] { work(id); });
  for (auto& thread : threads) thread.join();
}

/// A value that knows its key and notices when it is read after it was destroyed.
class Witness {
 public:
  explicit Witness(int key)
      : key_(key), text_(std::make_unique<std::string>(std::to_string(key))) {}
  Witness(const Witness& other) : Witness(other.key_) {}
  Witness(Witness&&) noexcept = default;
  Witness& operator=(Witness&&) noexcept = default;

  [[nodiscard]] bool belongs_to(int key) const {
    return key_ == key && *text_ == std::to_string(key);
  }

 private:
  int key_;
  std::unique_ptr<std::string> text_;
};

using WitnessCache = Cache<int, Witness>;

CacheOptions options_of(std::uint64_t max_entries, MaintenanceMode maintenance) {
  CacheOptions options;
  options.max_entries = max_entries;
  options.maintenance = maintenance;
  options.janitor_period = std::chrono::milliseconds(1);
  return options;
}

void mixed_work(WitnessCache& cache, int id, int operations, int keys) {
  std::mt19937 random(static_cast<unsigned>(id));
  for (int i = 0; i < operations; ++i) {
    const int key = static_cast<int>(random()) & (keys - 1);
    switch (random() % 8) {
      case 0:
      case 1:
        cache.put(key, Witness(key));
        break;
      case 2:
        cache.remove(key);
        break;
      case 3: {
        const auto pinned = cache.find(key);
        const auto other = cache.find(key + 1);
        EXPECT_TRUE(!pinned || pinned->belongs_to(key));
        EXPECT_TRUE(!other || other->belongs_to(key + 1));
        break;
      }
      default: {
        const auto copy = cache.get(key);
        EXPECT_TRUE(!copy || copy->belongs_to(key));
      }
    }
  }
}

TEST(CacheStressTest, values_stay_whole_under_eviction) {
  WitnessCache cache(options_of(200, MaintenanceMode::kJanitor));
  run_threads([&](int id) { mixed_work(cache, id, 30'000, 1024); });
  EXPECT_TRUE(cache.validate());
  EXPECT_LE(cache.size(), 200U);
}

TEST(CacheStressTest, values_stay_whole_on_few_keys) {
  WitnessCache cache(options_of(100, MaintenanceMode::kCallers));
  run_threads([&](int id) { mixed_work(cache, id, 30'000, 8); });
  EXPECT_TRUE(cache.validate());
}

TEST(CacheStressTest, values_stay_whole_with_inline_maintenance) {
  WitnessCache cache(options_of(64, MaintenanceMode::kInline));
  run_threads([&](int id) { mixed_work(cache, id, 10'000, 128); });
  EXPECT_TRUE(cache.validate());
}

TEST(CacheStressTest, values_stay_whole_while_they_expire) {
  auto options = options_of(1000, MaintenanceMode::kJanitor);
  options.time_to_live = std::chrono::microseconds(500);
  options.time_to_idle = std::chrono::microseconds(300);
  options.timer_tick = std::chrono::microseconds(10);
  WitnessCache cache(options);
  run_threads([&](int id) { mixed_work(cache, id, 30'000, 512); });
  EXPECT_TRUE(cache.validate());
}

TEST(CacheStressTest, every_departed_value_is_reported_once) {
  constexpr int kPuts = 20'000;
  std::vector<std::atomic<int>> reported(kThreads * kPuts);
  std::atomic<std::uint64_t> departed{0};
  using IntCache = Cache<int, int>;
  IntCache cache(options_of(300, MaintenanceMode::kJanitor),
                 {.listener = [&](int, int value, RemovalCause) {
                   ++reported[static_cast<std::size_t>(value)];
                   ++departed;
                 }});
  run_threads([&](int id) {
    std::mt19937 random(static_cast<unsigned>(id));
    for (int i = 0; i < kPuts; ++i) {
      cache.put(static_cast<int>(random() % 1000), id * kPuts + i);
      if (i % 16 == 0) cache.remove(static_cast<int>(random() % 1000));
    }
  });
  EXPECT_TRUE(cache.validate());
  for (const auto& times : reported) ASSERT_LE(times, 1);
  EXPECT_EQ(departed + cache.size(), static_cast<std::uint64_t>(kThreads) * kPuts);
}

TEST(CacheStressTest, a_key_that_is_only_replaced_is_always_found) {
  Cache<int, int> cache(options_of(100'000, MaintenanceMode::kJanitor));
  constexpr int kKeys = 64;
  for (int key = 0; key < kKeys; ++key) cache.put(key, key);
  std::atomic<bool> done{false};
  run_threads([&](int id) {
    if (id == 0) {
      for (int i = 0; i < 50'000; ++i) cache.put(i % kKeys, i % kKeys);
      // Others' keys make the tables grow.
      for (int i = 0; i < 50'000; ++i) cache.put(1000 + i, 0);
      done = true;
    } else {
      for (int key = 0; !done; key = (key + 1) % kKeys) ASSERT_EQ(cache.get(key), key);
    }
  });
  EXPECT_TRUE(cache.validate());
}

TEST(CacheStressTest, iteration_visits_what_stays_exactly_once) {
  Cache<int, int> cache(options_of(100'000, MaintenanceMode::kJanitor));
  constexpr int kKeys = 500;
  for (int key = 0; key < kKeys; ++key) cache.put(key, key);
  std::atomic<bool> done{false};
  run_threads([&](int id) {
    if (id == 0) {
      for (int round = 0; round < 30; ++round) {
        std::vector<int> seen(kKeys, 0);
        cache.for_each([&](int key, int) {
          if (key < kKeys) ++seen[static_cast<std::size_t>(key)];
        });
        for (int key = 0; key < kKeys; ++key) ASSERT_EQ(seen[static_cast<std::size_t>(key)], 1);
      }
      done = true;
    } else {
      for (int i = 0; !done; ++i) {
        cache.put(i % kKeys, i);
        cache.put(kKeys + i % 2000, i);
        cache.remove(kKeys + (i * 7) % 2000);
      }
    }
  });
  EXPECT_TRUE(cache.validate());
}

TEST(CacheStressTest, bounds_may_change_under_load) {
  WitnessCache cache(options_of(1000, MaintenanceMode::kJanitor));
  run_threads([&](int id) {
    if (id == 0) {
      for (std::uint64_t round = 0; round < 40; ++round) cache.resize(round % 2 == 0 ? 10 : 2000);
      cache.clear();
    } else {
      mixed_work(cache, id, 20'000, 4096);
    }
  });
  cache.resize(5);
  EXPECT_TRUE(cache.validate());
  EXPECT_LE(cache.size(), 5U);
}

}  // namespace
}  // namespace llm_edge_cache::engine
