// A removed or replaced answer must not come back through a lookup that was under way.
#include "tests/unit/tiered_cache/fixture.hpp"

namespace llm_edge_cache::test {
namespace {

class PromotionRaceTest : public TieredCacheTest {
 protected:
  PromotionRaceTest() { l2.entries[key] = fresh_for(1'000, "old"); }

  [[nodiscard]] LookupOutcome in_l1() { return cache.lookup_l1(key).outcome; }

  Outcome<LookedUp> lookup;
};

TEST_F(PromotionRaceTest, remove_wins_over_a_lookup_that_began_before_it) {
  cache.lookup(key, lookup.handler());
  Outcome<Result<bool>> removed;
  cache.remove(key, removed.handler());
  l2.release_all();
  EXPECT_TRUE(removed.value->value());
  EXPECT_EQ(in_l1(), LookupOutcome::kMiss);
}

TEST_F(PromotionRaceTest, remove_wins_over_a_lookup_that_l2_answered_before_it_removed) {
  Outcome<Result<bool>> removed;
  cache.remove(key, removed.handler());
  cache.lookup(key, lookup.handler());  // L2 still has the answer
  l2.release_all();                     // acknowledges the removal, then answers the lookup
  EXPECT_TRUE(removed.value->value());
  EXPECT_EQ(lookup.value->entry->response.content, "old");
  EXPECT_EQ(in_l1(), LookupOutcome::kMiss);
}

TEST_F(PromotionRaceTest, lookup_does_not_promote_while_a_removal_is_under_way) {
  cache.lookup(key, lookup.handler());
  Outcome<Result<bool>> removed;
  cache.remove(key, removed.handler());
  l2.release_next();  // the lookup
  EXPECT_TRUE(lookup.value.has_value());
  EXPECT_FALSE(removed.value.has_value());
  EXPECT_EQ(in_l1(), LookupOutcome::kMiss);
  l2.release_all();
}

TEST_F(PromotionRaceTest, newer_answer_wins_over_a_lookup_that_began_before_it) {
  cache.lookup(key, lookup.handler());
  cache.store(key, fresh_for(1'000, "new"));
  l2.release_all();
  EXPECT_EQ(lookup.value->entry->response.content, "old");
  EXPECT_EQ(cache.lookup_l1(key).entry->response.content, "new");
}

TEST_F(PromotionRaceTest, clear_wins_over_every_lookup_that_began_before_it_ended) {
  cache.lookup(key, lookup.handler());
  Outcome<Status> cleared;
  cache.clear(cleared.handler());
  Outcome<LookedUp> during;
  cache.lookup(key, during.handler());
  l2.release_all();
  EXPECT_TRUE(cleared.value->ok());
  EXPECT_TRUE(lookup.value->is_hit());
  EXPECT_TRUE(during.value->is_hit());
  EXPECT_EQ(in_l1(), LookupOutcome::kMiss);
}

TEST_F(PromotionRaceTest, promotion_works_again_after_a_removal_and_a_clear) {
  Outcome<Result<bool>> removed;
  cache.remove(key, removed.handler());
  Outcome<Status> cleared;
  cache.clear(cleared.handler());
  l2.release_all();
  l2.entries[key] = fresh_for(1'000, "new");
  EXPECT_EQ(looked_up(key).outcome, LookupOutcome::kL2Hit);
  EXPECT_EQ(in_l1(), LookupOutcome::kL1Hit);
}

TEST_F(PromotionRaceTest, removal_that_failed_lets_promotion_work_again) {
  l2.failure = Error{ErrorCode::kUnavailable, "down"};
  Outcome<Result<bool>> removed;
  cache.remove(key, removed.handler());
  l2.release_all();
  ASSERT_FALSE(removed.value->ok());
  l2.failure.reset();
  EXPECT_EQ(looked_up(key).outcome, LookupOutcome::kL2Hit);
  EXPECT_EQ(in_l1(), LookupOutcome::kL1Hit);
}

}  // namespace
}  // namespace llm_edge_cache::test
