// A manager with memory only.
#include "llm_edge_cache/cache_manager.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <limits>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace llm_edge_cache {
namespace {

class CacheManagerTest : public ::testing::Test {
 protected:
  static CacheableRequest asking(std::string prompt = "question") {
    return CacheableRequest("gpt-4o", std::move(prompt));
  }
  static CachedResponse answering(std::string content = "answer") {
    return {.content = std::move(content),
            .tokens = TokenUsage{.prompt_tokens = 1, .completion_tokens = 2, .total_tokens = 3},
            .model = "gpt-4o"};
  }
  static LookupOutcome outcome(const CacheManager& cache, const CacheableRequest& request) {
    return cache.lookup(request)->outcome();
  }

  const std::shared_ptr<ManualClock> clock = std::make_shared<ManualClock>();
  CacheManager cache = CacheManager::builder().clock(clock).build();
};

TEST_F(CacheManagerTest, misses_first_and_hits_after_a_store) {
  const auto missed = cache.lookup(asking());
  ASSERT_TRUE(missed.ok());
  EXPECT_EQ(missed->outcome(), LookupOutcome::kMiss);
  EXPECT_EQ(missed->response(), nullptr);

  ASSERT_TRUE(cache.store(asking(), answering()).ok());
  const auto found = cache.lookup(asking());
  EXPECT_EQ(found->outcome(), LookupOutcome::kL1Hit);
  EXPECT_TRUE(found->is_hit());
  EXPECT_EQ(found->response()->content, "answer");
  EXPECT_EQ(found->response()->tokens->total_tokens, 3U);
}

TEST_F(CacheManagerTest, stamps_an_answer_that_names_no_time) {
  ASSERT_TRUE(cache.store(asking(), answering()).ok());
  EXPECT_EQ(cache.lookup(asking())->response()->cached_at_ms, clock->now_ms());

  auto earlier = answering();
  earlier.cached_at_ms = 42;
  ASSERT_TRUE(cache.store(asking(), earlier).ok());
  EXPECT_EQ(cache.lookup(asking())->response()->cached_at_ms, 42);
}

TEST_F(CacheManagerTest, response_outlives_the_cache) {
  std::shared_ptr<const CachedResponse> response;
  {
    const CacheManager short_lived;
    ASSERT_TRUE(short_lived.store(asking(), answering("kept")).ok());
    response = short_lived.lookup(asking())->response();
  }
  EXPECT_EQ(response->content, "kept");
}

TEST_F(CacheManagerTest, copies_share_one_cache) {
  const CacheManager copy = cache;
  ASSERT_TRUE(copy.store(asking(), answering()).ok());
  EXPECT_EQ(outcome(cache, asking()), LookupOutcome::kL1Hit);
  EXPECT_EQ(cache.metrics_snapshot().total_requests, copy.metrics_snapshot().total_requests);
}

TEST_F(CacheManagerTest, managers_do_not_share) {
  const CacheManager other;
  ASSERT_TRUE(other.store(asking(), answering()).ok());
  EXPECT_EQ(outcome(cache, asking()), LookupOutcome::kMiss);
}

TEST_F(CacheManagerTest, answer_lives_for_the_ttl_of_l1) {
  ASSERT_TRUE(cache.store(asking(), answering()).ok());
  for (std::uint64_t left_ms = L1Config{}.ttl_ms; left_ms > 100'000; left_ms -= 100'000) {
    clock->advance_ms(100'000);  // within the time to idle
    ASSERT_EQ(outcome(cache, asking()), LookupOutcome::kL1Hit);
  }
  clock->advance_ms(99'999);
  EXPECT_EQ(outcome(cache, asking()), LookupOutcome::kL1Hit);
  clock->advance_ms(1);
  EXPECT_EQ(outcome(cache, asking()), LookupOutcome::kMiss);
}

TEST_F(CacheManagerTest, answer_that_nobody_reads_leaves_when_idle) {
  ASSERT_TRUE(cache.store(asking(), answering()).ok());
  clock->advance_ms(static_cast<std::int64_t>(L1Config{}.tti_ms));
  EXPECT_EQ(outcome(cache, asking()), LookupOutcome::kMiss);
}

TEST_F(CacheManagerTest, answer_may_have_a_life_of_its_own) {
  ASSERT_TRUE(cache.store_with_ttl(asking(), answering(), 10).ok());
  clock->advance_ms(9);
  EXPECT_EQ(outcome(cache, asking()), LookupOutcome::kL1Hit);
  clock->advance_ms(1);
  EXPECT_EQ(outcome(cache, asking()), LookupOutcome::kMiss);
}

TEST_F(CacheManagerTest, longest_life_does_not_overflow) {
  const auto forever = CacheManager::builder().l1({.ttl_ms = 0, .tti_ms = 0}).clock(clock).build();
  ASSERT_TRUE(
      forever.store_with_ttl(asking(), answering(), std::numeric_limits<std::uint64_t>::max())
          .ok());
  clock->advance_ms(1'000'000'000);
  EXPECT_EQ(outcome(forever, asking()), LookupOutcome::kL1Hit);
}

TEST_F(CacheManagerTest, life_of_zero_is_refused) {
  EXPECT_EQ(cache.store_with_ttl(asking(), answering(), 0).error().code,
            ErrorCode::kInvalidArgument);
  EXPECT_EQ(outcome(cache, asking()), LookupOutcome::kMiss);
}

TEST_F(CacheManagerTest, request_without_a_key_fails_every_call) {
  const auto impossible = asking().with_temperature(std::nan(""));
  EXPECT_EQ(cache.lookup(impossible).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(cache.store(impossible, answering()).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(cache.invalidate(impossible).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(cache.metrics_snapshot().total_requests, 0U);
}

TEST_F(CacheManagerTest, answer_over_all_bytes_is_refused) {
  const auto small = CacheManager::builder().l1({.max_bytes = 10'000}).build();
  EXPECT_EQ(small.store(asking(), answering(std::string(20'000, 'a'))).error().code,
            ErrorCode::kTooLarge);
  EXPECT_EQ(small.l1_entry_count(), 0U);
}

TEST_F(CacheManagerTest, invalidate_tells_whether_there_was_an_answer) {
  EXPECT_FALSE(*cache.invalidate(asking()));
  ASSERT_TRUE(cache.store(asking(), answering()).ok());
  EXPECT_TRUE(*cache.invalidate(asking()));
  EXPECT_EQ(outcome(cache, asking()), LookupOutcome::kMiss);
}

TEST_F(CacheManagerTest, clear_all_forgets_everything) {
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(cache.store(asking(std::to_string(i)), answering()).ok());
  }
  EXPECT_EQ(cache.l1_entry_count(), 10U);
  EXPECT_TRUE(cache.clear_all().ok());
  EXPECT_EQ(cache.l1_entry_count(), 0U);
}

TEST_F(CacheManagerTest, namespaces_never_share_an_answer) {
  const auto of_tenant = [](const std::string& name) { return asking().with_namespace(name); };
  ASSERT_TRUE(cache.store(of_tenant("a"), answering("for a")).ok());
  EXPECT_EQ(outcome(cache, of_tenant("b")), LookupOutcome::kMiss);
  EXPECT_EQ(outcome(cache, asking()), LookupOutcome::kMiss);
  EXPECT_EQ(cache.lookup(of_tenant("a"))->response()->content, "for a");
}

TEST_F(CacheManagerTest, namespace_of_the_manager_is_that_of_requests_that_name_none) {
  const auto tenants = CacheManager::builder().name_space("a").build();
  ASSERT_TRUE(tenants.store(asking(), answering("for a")).ok());
  EXPECT_EQ(outcome(tenants, asking().with_namespace("a")), LookupOutcome::kL1Hit);
  EXPECT_EQ(outcome(tenants, asking().with_namespace("b")), LookupOutcome::kMiss);
}

TEST_F(CacheManagerTest, counts_what_happened) {
  (void)cache.lookup(asking());
  ASSERT_TRUE(cache.store(asking(), answering()).ok());
  (void)cache.lookup(asking());
  (void)cache.lookup(asking());
  const auto metrics = cache.metrics_snapshot();
  EXPECT_EQ(metrics.total_requests, 3U);
  EXPECT_EQ(metrics.l1.hits, 2U);
  EXPECT_EQ(metrics.l1.misses, 1U);
  EXPECT_EQ(metrics.l1.writes, 1U);
  EXPECT_DOUBLE_EQ(metrics.l1.hit_rate(), 2.0 / 3.0);
  EXPECT_DOUBLE_EQ(metrics.overall_hit_rate(), 2.0 / 3.0);
}

TEST_F(CacheManagerTest, is_healthy_and_complete_without_l2) {
  const auto health = cache.health_check();
  EXPECT_TRUE(health.l1_healthy);
  EXPECT_FALSE(health.l2_configured);
  EXPECT_TRUE(health.is_fully_healthy());
  EXPECT_FALSE(cache.has_l2());
  EXPECT_EQ(cache.l2_approximate_size().error().code, ErrorCode::kUnavailable);
  EXPECT_TRUE(cache.flush(0).ok());
}

TEST_F(CacheManagerTest, invalid_configuration_is_refused_by_name) {
  try {
    (void)CacheManager::builder().l1({.max_entries = 0}).build();
    FAIL() << "no exception";
  } catch (const std::invalid_argument& error) {
    EXPECT_NE(std::string(error.what()).find("max_entries"), std::string::npos);
  }
  EXPECT_THROW((void)CacheManager::with_l2({.url = "http://example.com"}), std::invalid_argument);
  EXPECT_THROW((void)CacheManager::with_l2({.key_prefix = ""}), std::invalid_argument);
}

TEST_F(CacheManagerTest, builder_makes_independent_caches) {
  auto builder = CacheManager::builder().l1({.max_entries = 10});
  const auto first = builder.build();
  const auto second = builder.build();
  ASSERT_TRUE(first.store(asking(), answering()).ok());
  EXPECT_EQ(outcome(second, asking()), LookupOutcome::kMiss);
}

TEST_F(CacheManagerTest, serves_many_threads_at_once) {
  constexpr int kThreads = 4;
  constexpr int kRounds = 2'000;
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([this, thread, &wrong] {
      const CacheManager mine = cache;
      for (int i = 0; i < kRounds; ++i) {
        const auto prompt = std::to_string((i + thread) % 50);
        const auto found = mine.lookup(asking(prompt));
        if (!found->is_hit()) {
          (void)mine.store(asking(prompt), answering(prompt));
        } else if (found->response()->content != prompt) {
          wrong.fetch_add(1);
        }
        if (i % 500 == 0) (void)mine.invalidate(asking(prompt));
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(wrong.load(), 0);
  EXPECT_EQ(cache.metrics_snapshot().total_requests,
            static_cast<std::uint64_t>(kThreads) * kRounds);
}

}  // namespace
}  // namespace llm_edge_cache
