#include "core/tiered_cache.hpp"

#include "tests/unit/tiered_cache/fixture.hpp"

namespace llm_edge_cache::test {
namespace {

TEST_F(TieredCacheTest, misses_where_no_tier_has_the_answer) {
  const auto found = looked_up(key);
  EXPECT_EQ(found.outcome, LookupOutcome::kMiss);
  EXPECT_EQ(found.entry, nullptr);
}

TEST_F(TieredCacheTest, does_not_ask_l2_for_what_l1_has) {
  const auto entry = fresh_for(1'000);
  cache.store(key, entry);
  const auto found = looked_up(key);
  EXPECT_EQ(found.outcome, LookupOutcome::kL1Hit);
  EXPECT_EQ(found.entry, entry);
  EXPECT_EQ(l2.gets, 0);
}

TEST_F(TieredCacheTest, store_puts_the_answer_into_both_tiers) {
  const auto entry = fresh_for(1'000);
  cache.store(key, entry);
  EXPECT_EQ(cache.lookup_l1(key).entry, entry);
  EXPECT_EQ(l2.entries.at(key), entry);
}

TEST_F(TieredCacheTest, promotes_what_l2_has) {
  l2.entries[key] = fresh_for(1'000);
  EXPECT_EQ(looked_up(key).outcome, LookupOutcome::kL2Hit);
  EXPECT_EQ(looked_up(key).outcome, LookupOutcome::kL1Hit);
  EXPECT_EQ(l2.gets, 1);
}

TEST_F(TieredCacheTest, promoted_answer_keeps_the_life_that_it_has_left) {
  l2.entries[key] = fresh_for(1'000);
  clock->advance_ms(900);
  ASSERT_EQ(looked_up(key).outcome, LookupOutcome::kL2Hit);
  clock->advance_ms(99);
  EXPECT_EQ(cache.lookup_l1(key).outcome, LookupOutcome::kL1Hit);
  clock->advance_ms(1);
  EXPECT_EQ(cache.lookup_l1(key).outcome, LookupOutcome::kMiss);
}

TEST_F(TieredCacheTest, answer_that_expires_on_its_way_from_l2_is_not_a_hit) {
  l2.entries[key] = fresh_for(1'000);
  Outcome<LookedUp> outcome;
  cache.lookup(key, outcome.handler());
  clock->advance_ms(1'000);
  l2.release_all();
  EXPECT_EQ(outcome.value->outcome, LookupOutcome::kMiss);
  EXPECT_EQ(cache.lookup_l1(key).entry, nullptr);
}

TEST_F(TieredCacheTest, failed_l2_is_a_miss) {
  l2.failure = Error{ErrorCode::kUnavailable, "down"};
  EXPECT_EQ(looked_up(key).outcome, LookupOutcome::kMiss);
}

TEST_F(TieredCacheTest, stale_answer_of_l1_still_asks_l2) {
  cache.store(key, stale_for(1'000));
  l2.entries[key] = fresh_for(1'000);
  EXPECT_EQ(looked_up(key).outcome, LookupOutcome::kL2Hit);
  EXPECT_EQ(looked_up(key).outcome, LookupOutcome::kL1Hit);
}

TEST_F(TieredCacheTest, stale_answer_is_offered_where_nobody_has_a_fresh_one) {
  cache.store(key, stale_for(1'000));
  l2.entries.clear();
  const auto found = looked_up(key);
  EXPECT_EQ(found.outcome, LookupOutcome::kStale);
  EXPECT_FALSE(found.is_hit());
  EXPECT_EQ(found.entry->response.content, "stale");
}

TEST_F(TieredCacheTest, stale_answer_is_offered_where_l2_fails) {
  cache.store(key, stale_for(1'000));
  l2.failure = Error{ErrorCode::kDeadlineExceeded, "slow"};
  EXPECT_EQ(looked_up(key).outcome, LookupOutcome::kStale);
}

TEST_F(TieredCacheTest, offers_the_younger_of_two_stale_answers) {
  cache.store(key, stale_for(1'000, 500));
  const auto younger = stale_for(1'000, 5);
  l2.entries[key] = younger;
  EXPECT_EQ(looked_up(key).entry, younger);
  EXPECT_NE(cache.lookup_l1(key).entry, younger) << "stale answers are not promoted";
}

TEST_F(TieredCacheTest, remove_tells_whether_any_tier_had_it) {
  const auto removed = [&] {
    Outcome<Result<bool>> outcome;
    cache.remove(key, outcome.handler());
    l2.release_all();
    return outcome.value->value();
  };
  EXPECT_FALSE(removed());
  l2.entries[key] = fresh_for(1'000);
  EXPECT_TRUE(removed());
  cache.store(key, fresh_for(1'000));
  l2.entries.clear();
  EXPECT_TRUE(removed());
  EXPECT_FALSE(removed());
}

TEST_F(TieredCacheTest, remove_empties_l1_at_once_and_reports_what_l2_says) {
  cache.store(key, fresh_for(1'000));
  l2.failure = Error{ErrorCode::kUnavailable, "down"};
  Outcome<Result<bool>> outcome;
  cache.remove(key, outcome.handler());
  EXPECT_EQ(cache.lookup_l1(key).entry, nullptr);
  EXPECT_FALSE(outcome.value.has_value());
  l2.release_all();
  EXPECT_EQ(outcome.value->error().code, ErrorCode::kUnavailable);
}

TEST_F(TieredCacheTest, clear_empties_both_tiers) {
  cache.store(key, fresh_for(1'000));
  Outcome<Status> outcome;
  cache.clear(outcome.handler());
  l2.release_all();
  EXPECT_TRUE(outcome.value->ok());
  EXPECT_EQ(looked_up(key).outcome, LookupOutcome::kMiss);
}

TEST_F(TieredCacheTest, check_reports_l2) {
  Outcome<HealthStatus> healthy;
  cache.check(healthy.handler());
  EXPECT_TRUE(healthy.value->is_fully_healthy());

  l2.failure = Error{ErrorCode::kUnavailable, "down"};
  Outcome<HealthStatus> ill;
  cache.check(ill.handler());
  EXPECT_TRUE(ill.value->l1_healthy);
  EXPECT_TRUE(ill.value->l2_configured);
  EXPECT_FALSE(ill.value->l2_healthy);
}

TEST_F(TieredCacheTest, counts_every_lookup_once) {
  EXPECT_EQ(looked_up(key).outcome, LookupOutcome::kMiss);
  l2.entries[key] = fresh_for(1'000);
  EXPECT_EQ(looked_up(key).outcome, LookupOutcome::kL2Hit);
  EXPECT_EQ(looked_up(key).outcome, LookupOutcome::kL1Hit);

  const auto metrics = cache.metrics_snapshot();
  EXPECT_EQ(metrics.total_requests, 3U);
  EXPECT_EQ(metrics.l1.hits, 1U);
  EXPECT_EQ(metrics.l1.misses, 2U);
  EXPECT_EQ(metrics.l2.hits, 1U);
  EXPECT_EQ(metrics.l2.misses, 1U);
  EXPECT_DOUBLE_EQ(metrics.overall_hit_rate(), 2.0 / 3.0);
}

TEST_F(TieredCacheTest, failure_of_l2_is_neither_its_hit_nor_its_miss) {
  l2.failure = Error{ErrorCode::kUnavailable, "down"};
  l2.counters_to_report.errors_unavailable = 1;
  (void)looked_up(key);
  const auto metrics = cache.metrics_snapshot();
  EXPECT_EQ(metrics.l2.hits + metrics.l2.misses, 0U);
  EXPECT_EQ(metrics.l2.errors, 1U);
  EXPECT_EQ(cache.l2_report().lookups.latency.count, 1U);
}

TEST_F(TieredCacheTest, stale_answer_counts_as_a_miss) {
  cache.store(key, stale_for(1'000));
  (void)looked_up(key);
  const auto lookups = cache.l1_report().lookups;
  EXPECT_EQ(lookups.hits, 0U);
  EXPECT_EQ(lookups.stale, 1U);
  EXPECT_EQ(lookups.misses, 1U);
}

TEST_F(TieredCacheTest, destruction_completes_what_is_outstanding) {
  Outcome<LookedUp> outcome;
  auto lower = std::make_unique<HeldTier>();
  lower->entries[key] = fresh_for(1'000);
  {
    TieredCache short_lived(std::make_unique<MemoryTier>(L1Config{}, clock), std::move(lower),
                            clock);
    short_lived.lookup(key, outcome.handler());
    EXPECT_FALSE(outcome.value.has_value());
  }
  EXPECT_EQ(outcome.value->outcome, LookupOutcome::kL2Hit);
}

TEST_F(TieredCacheTest, works_without_l2) {
  TieredCache alone(std::make_unique<MemoryTier>(L1Config{}, clock), nullptr, clock);
  Outcome<LookedUp> missed;
  alone.lookup(key, missed.handler());
  EXPECT_EQ(missed.value->outcome, LookupOutcome::kMiss);

  alone.store(key, fresh_for(1'000));
  Outcome<LookedUp> found;
  alone.lookup(key, found.handler());
  EXPECT_EQ(found.value->outcome, LookupOutcome::kL1Hit);

  Outcome<Result<bool>> removed;
  alone.remove(key, removed.handler());
  EXPECT_TRUE(removed.value->value());
  Outcome<Status> cleared;
  alone.clear(cleared.handler());
  EXPECT_TRUE(cleared.value->ok());
  Outcome<Status> flushed;
  alone.flush(flushed.handler());
  EXPECT_TRUE(flushed.value->ok());
  Outcome<Result<std::uint64_t>> size;
  alone.l2_size(size.handler());
  EXPECT_EQ(size.value->error().code, ErrorCode::kUnavailable);
  Outcome<HealthStatus> health;
  alone.check(health.handler());
  EXPECT_TRUE(health.value->is_fully_healthy());
  EXPECT_FALSE(alone.runs_on_this_thread());
}

TEST_F(TieredCacheTest, knows_the_threads_of_l2) {
  EXPECT_FALSE(cache.runs_on_this_thread());
  l2.claims_this_thread = true;
  EXPECT_TRUE(cache.runs_on_this_thread());
}

}  // namespace
}  // namespace llm_edge_cache::test
