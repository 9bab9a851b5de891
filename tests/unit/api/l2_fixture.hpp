// A real Redis, and managers on it.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "llm_edge_cache/cache_manager.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/redis_server.hpp"

namespace llm_edge_cache::test {

class L2Test : public ::testing::Test {
 protected:
  static CacheableRequest asking(std::string prompt = "question") {
    return CacheableRequest("gpt-4o", std::move(prompt));
  }
  static CachedResponse answering(std::string content = "answer") {
    return {.content = std::move(content), .tokens = std::nullopt, .model = "gpt-4o"};
  }

  // Deadlines are generous: a busy machine must not fail what is not about time.
  [[nodiscard]] L2Config config() const {
    return {.url = server.url(),
            .connect_timeout_ms = 10'000,
            .operation_timeout_ms = 10'000,
            .shutdown_flush_ms = 10'000,
            .reconnect_max_ms = 100};
  }
  [[nodiscard]] CacheManager make() const { return make(config()); }
  // Returns when the manager is connected.
  [[nodiscard]] CacheManager make(L2Config l2) const {
    auto cache = CacheManager::builder().l2(std::move(l2)).clock(clock).build();
    EXPECT_TRUE(eventually([&] { return cache.health_check().l2_healthy; }));
    return cache;
  }
  static void store(const CacheManager& cache, const CacheableRequest& request,
                    CachedResponse response) {
    ASSERT_TRUE(cache.store(request, std::move(response)).ok());
    ASSERT_TRUE(cache.flush(10'000).ok());
  }

  const std::shared_ptr<ManualClock> clock = std::make_shared<ManualClock>(SystemClock().now_ms());
  RedisServer server;
};

}  // namespace llm_edge_cache::test
