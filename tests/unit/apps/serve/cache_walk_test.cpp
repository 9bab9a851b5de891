#include "serve/cache_walk.hpp"

#include <gtest/gtest.h>
#include <pthread.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/tiered_cache.hpp"
#include "tests/support/entries.hpp"
#include "tiers/memory/memory_tier.hpp"

namespace llm_edge_cache::app::cache_walk_test {
namespace {

constexpr std::size_t kEntries = 64'000;

KeyDigest key_of(std::size_t number) {
  KeyDigest key;
  for (std::size_t i = 0; i < sizeof number; ++i) {
    key.bytes[i] = static_cast<std::uint8_t>(number >> (8 * i));
  }
  return key;
}

// On a thread with a stack that a call for each page would not fit into.
void run_on_small_stack(std::function<void()> task) {
  constexpr std::size_t kStackBytes = 256U << 10U;
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, kStackBytes);
  pthread_t thread{};
  const auto run = [](void* given) -> void* {
    (*static_cast<std::function<void()>*>(given))();
    return nullptr;
  };
  ASSERT_EQ(pthread_create(&thread, &attributes, run, &task), 0);
  pthread_join(thread, nullptr);
  pthread_attr_destroy(&attributes);
}

class CacheWalkTest : public ::testing::Test {
 protected:
  void store_all(const std::vector<std::string>& tags) {
    for (std::size_t i = 0; i < kEntries; ++i) {
      auto entry = std::make_shared<Entry>();
      entry->response.content = "x";
      entry->expires_ms = clock_->now_ms() + 3'600'000;
      entry->tags = tags;
      cache_.store(key_of(i), entry);
    }
  }
  [[nodiscard]] std::size_t walked() {
    std::size_t entries = 0;
    run_on_small_stack([&] {
      const auto walk = std::make_shared<CacheWalk>(cache_);
      std::function<void(Result<std::vector<KeyedEntry>>)> take =
          [&](Result<std::vector<KeyedEntry>> page) {
            ASSERT_TRUE(page.ok());
            entries += page->size();
            if (!page->empty()) walk->next(take);
          };
      walk->next(take);
    });
    return entries;
  }

  const ClockPtr clock_ = std::make_shared<SystemClock>();
  TieredCache cache_{std::make_unique<MemoryTier>(
                         L1Config{.max_entries = 2 * kEntries, .max_bytes = 1U << 30U}, clock_),
                     nullptr, clock_};
};

TEST_F(CacheWalkTest, comes_to_all_of_a_large_memory) {
  store_all({});
  EXPECT_EQ(walked(), kEntries);
}

TEST_F(CacheWalkTest, passes_over_all_that_was_purged) {
  store_all({"gone"});
  cache_.purge_tag("gone", [](const Status&) {});
  EXPECT_EQ(walked(), 0U);
}

}  // namespace
}  // namespace llm_edge_cache::app::cache_walk_test
