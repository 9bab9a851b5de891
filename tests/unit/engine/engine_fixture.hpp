// Caches under test: time stands still until the test moves it, maintenance is inline unless the
// test says otherwise, and every cache is validated when the test ends.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <tuple>
#include <utility>
#include <vector>

#include "llm_edge_cache/engine/cache.hpp"

namespace llm_edge_cache::engine {

template <class Key, class Value>
struct TestTraits : CacheTraits<Key, Value> {
  using Clock = ManualClock;
};

template <class Key, class Value>
struct LruTestTraits : TestTraits<Key, Value> {
  template <class Nodes>
  using Policy = LruPolicy<Nodes>;
};

template <class Key = int, class Value = int, class Traits = TestTraits<Key, Value>>
class EngineFixture : public ::testing::Test {
 protected:
  using TestCache = Cache<Key, Value, Traits>;
  using Departure = std::tuple<Key, Value, RemovalCause>;

  static CacheOptions inline_options(std::uint64_t max_entries = 100) {
    CacheOptions options;
    options.max_entries = max_entries;
    options.maintenance = MaintenanceMode::kInline;
    options.timer_tick = std::chrono::nanoseconds(1);
    return options;
  }

  TestCache& make(const CacheOptions& options, typename TestCache::Executor executor = {}) {
    caches_.push_back(std::make_unique<TestCache>(
        options,
        typename TestCache::Hooks{
            .listener = [this](const Key& key, const Value& value,
                               RemovalCause cause) { departures.emplace_back(key, value, cause); },
            .executor = std::move(executor),
            .clock = ManualClock(now_ns_),
            .weigher = {}}));
    return *caches_.back();
  }

  void advance(std::chrono::nanoseconds by) { now_ns_ += by.count(); }

  void TearDown() override {
    for (auto& cache : caches_) EXPECT_TRUE(cache->validate());
  }

  /// What the listener was told, in order.
  std::vector<Departure> departures;

 private:
  std::atomic<std::int64_t> now_ns_{1'000'000'000};
  std::vector<std::unique_ptr<TestCache>> caches_;
};

}  // namespace llm_edge_cache::engine
