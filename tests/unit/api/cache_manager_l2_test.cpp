// Managers that share one Redis.
#include <atomic>
#include <thread>
#include <vector>

#include "tests/unit/api/l2_fixture.hpp"

namespace llm_edge_cache::test {
namespace {

using CacheManagerL2Test = L2Test;

TEST_F(CacheManagerL2Test, finds_what_another_manager_stored) {
  const auto writer = make();
  const auto reader = make();
  store(writer, asking(), answering("shared"));
  const auto found = reader.lookup(asking());
  EXPECT_EQ(found->outcome(), LookupOutcome::kL2Hit);
  EXPECT_EQ(found->response()->content, "shared");
  // The news of the write may come after the first lookup, and end once what that took into memory.
  EXPECT_TRUE(
      eventually([&] { return reader.lookup(asking())->outcome() == LookupOutcome::kL1Hit; }));
}

TEST_F(CacheManagerL2Test, misses_where_neither_tier_has_it) {
  const auto cache = make();
  EXPECT_EQ(cache.lookup(asking())->outcome(), LookupOutcome::kMiss);
  const auto metrics = cache.metrics_snapshot();
  EXPECT_EQ(metrics.total_requests, 1U);
  EXPECT_EQ(metrics.l1.misses, 1U);
  EXPECT_EQ(metrics.l2.misses, 1U);
}

TEST_F(CacheManagerL2Test, answer_outlives_l1_in_l2_and_keeps_its_own_end) {
  const auto cache = make();
  store(cache, asking(), answering());
  const auto life_ms = static_cast<std::int64_t>(L2Config{}.ttl_ms);
  clock->advance_ms(life_ms - 1'000);
  EXPECT_EQ(cache.lookup(asking())->outcome(), LookupOutcome::kL2Hit);
  clock->advance_ms(999);
  EXPECT_EQ(cache.lookup(asking())->outcome(), LookupOutcome::kL1Hit);
  clock->advance_ms(1);
  EXPECT_EQ(cache.lookup(asking())->outcome(), LookupOutcome::kMiss);
}

TEST_F(CacheManagerL2Test, invalidate_reaches_both_tiers) {
  const auto cache = make();
  store(cache, asking(), answering());
  EXPECT_TRUE(*cache.invalidate(asking()));
  EXPECT_EQ(cache.lookup(asking())->outcome(), LookupOutcome::kMiss);
  EXPECT_FALSE(*cache.invalidate(asking()));
}

// Readers promote all the time what another manager writes; after an invalidation nothing of it may
// be left in this manager's memory.
TEST_F(CacheManagerL2Test, invalidated_answer_does_not_come_back_under_load) {
  const auto writer = make();
  const auto cache = make();
  std::atomic<bool> stop{false};
  std::vector<std::thread> readers;
  for (int i = 0; i < 3; ++i) {
    readers.emplace_back([&] {
      while (!stop.load()) (void)cache.lookup(asking());
    });
  }
  for (int round = 0; round < 200; ++round) {
    store(writer, asking(), answering());
    EXPECT_TRUE(cache.invalidate(asking()).ok());
    EXPECT_EQ(cache.lookup(asking())->outcome(), LookupOutcome::kMiss) << round;
  }
  stop.store(true);
  for (auto& reader : readers) reader.join();
}

TEST_F(CacheManagerL2Test, clear_all_removes_this_prefix_only) {
  const auto ours = make();
  auto other_config = config();
  other_config.key_prefix = "other:";
  const auto theirs = make(other_config);
  for (int i = 0; i < 20; ++i) store(ours, asking(std::to_string(i)), answering());
  store(theirs, asking(), answering());
  EXPECT_EQ(*ours.l2_approximate_size(), 20U);

  EXPECT_TRUE(ours.clear_all().ok());
  EXPECT_EQ(*ours.l2_approximate_size(), 0U);
  EXPECT_EQ(*theirs.l2_approximate_size(), 1U);
  EXPECT_EQ(ours.lookup(asking("7"))->outcome(), LookupOutcome::kMiss);
}

TEST_F(CacheManagerL2Test, destruction_flushes_pending_writes) {
  {
    const auto cache = make();
    for (int i = 0; i < 500; ++i) {
      ASSERT_TRUE(cache.store(asking(std::to_string(i)), answering()).ok());
    }
  }
  EXPECT_EQ(server.command({"DBSIZE"}), "500");
}

TEST_F(CacheManagerL2Test, copies_share_l2) {
  const auto cache = make();
  const CacheManager copy = cache;
  EXPECT_TRUE(copy.has_l2());
  store(copy, asking(), answering());
  EXPECT_EQ(*cache.l2_approximate_size(), 1U);
}

TEST_F(CacheManagerL2Test, runs_on_l1_while_the_server_is_away_and_finds_it_again) {
  const auto cache = make();
  server.stop();
  EXPECT_EQ(cache.lookup(asking())->outcome(), LookupOutcome::kMiss);
  ASSERT_TRUE(cache.store(asking(), answering()).ok());
  EXPECT_EQ(cache.lookup(asking())->outcome(), LookupOutcome::kL1Hit);
  EXPECT_FALSE(cache.invalidate(asking("another")).ok());
  const auto health = cache.health_check();
  EXPECT_TRUE(health.l1_healthy);
  EXPECT_TRUE(health.l2_configured);
  EXPECT_FALSE(health.is_fully_healthy());
  EXPECT_GT(cache.metrics_snapshot().l2.errors, 0U);

  server.restart();
  EXPECT_TRUE(eventually([&] { return cache.health_check().is_fully_healthy(); }));
  store(cache, asking("later"), answering());
  EXPECT_EQ(server.command({"DBSIZE"}), "2") << "what was stored meanwhile has waited";
}

TEST_F(CacheManagerL2Test, server_that_is_down_at_the_start_is_no_error) {
  server.stop();
  const auto cache = CacheManager::builder().l2(config()).clock(clock).build();
  ASSERT_TRUE(cache.store(asking(), answering()).ok());
  EXPECT_EQ(cache.lookup(asking())->outcome(), LookupOutcome::kL1Hit);
  server.restart();
  EXPECT_TRUE(eventually([&] { return cache.health_check().is_fully_healthy(); }));
}

TEST_F(CacheManagerL2Test, frozen_server_costs_a_deadline_and_then_nothing) {
  auto impatient = config();
  impatient.operation_timeout_ms = 50;
  impatient.breaker_failures = 1;
  impatient.breaker_open_ms = 60'000;
  impatient.shutdown_flush_ms = 10;
  const auto cache = make(impatient);
  server.freeze();
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(cache.lookup(asking(std::to_string(i)))->outcome(), LookupOutcome::kMiss);
  }
  // At a deadline each they would be 100 time-outs.
  const auto metrics = cache.metrics_snapshot();
  EXPECT_EQ(metrics.total_requests, 100U);
  EXPECT_EQ(metrics.l2.hits + metrics.l2.misses, 0U);
  server.thaw();
}

TEST_F(CacheManagerL2Test, flush_gives_up_at_its_own_bound) {
  const auto cache = make();
  server.freeze();
  ASSERT_TRUE(cache.store(asking(), answering()).ok());
  EXPECT_EQ(cache.flush(1).error().code, ErrorCode::kDeadlineExceeded);
  server.thaw();
  EXPECT_TRUE(cache.flush(10'000).ok());
}

}  // namespace
}  // namespace llm_edge_cache::test
