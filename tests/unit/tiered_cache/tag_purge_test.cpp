// A purge of a tag, and everything that could bring back what it ended.
#include "core/tag_stamp.hpp"
#include "tests/unit/tiered_cache/fixture.hpp"

namespace llm_edge_cache::test {
namespace {

class TagPurgeTest : public TieredCacheTest {
 protected:
  [[nodiscard]] EntryPtr tagged(std::vector<std::string> tags, std::string content = "answer") {
    auto entry = std::make_shared<Entry>(*fresh_for(60'000, std::move(content)));
    entry->tags = std::move(tags);
    return entry;
  }
  void store(const KeyDigest& wanted, const EntryPtr& entry) {
    cache.store(wanted, entry);
    l2.release_all();
  }
  void purge(std::string_view tag) {
    Outcome<Status> outcome;
    cache.purge_tag(tag, outcome.handler());
    l2.release_all();
    ASSERT_TRUE(outcome.value.value().ok());
  }
  // What another process that shares L2 does.
  void purge_elsewhere(std::string_view tag) { l2.entries.erase(tag_marker_key(tag)); }
  void forget_l1(const KeyDigest& wanted) {
    const auto kept = l2.entries;
    Outcome<Result<bool>> outcome;
    cache.remove(wanted, outcome.handler());
    l2.release_all();
    l2.entries = kept;
  }
};

TEST_F(TagPurgeTest, an_answer_with_tags_is_found_in_both_tiers) {
  store(key, tagged({"a", "b"}));
  EXPECT_EQ(looked_up(key).outcome, LookupOutcome::kL1Hit);
  forget_l1(key);
  const auto found = looked_up(key);
  EXPECT_EQ(found.outcome, LookupOutcome::kL2Hit);
  EXPECT_EQ(found.entry->tags, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(looked_up(key).outcome, LookupOutcome::kL1Hit);
}

TEST_F(TagPurgeTest, a_purge_ends_the_answers_under_the_tag_and_no_others) {
  store(key_of(1), tagged({"a"}));
  store(key_of(2), tagged({"b", "a"}));
  store(key_of(3), tagged({"b"}));
  store(key_of(4), fresh_for(60'000));
  purge("a");
  EXPECT_EQ(looked_up(key_of(1)).outcome, LookupOutcome::kMiss);
  EXPECT_EQ(looked_up(key_of(2)).outcome, LookupOutcome::kMiss);
  EXPECT_EQ(looked_up(key_of(3)).outcome, LookupOutcome::kL1Hit);
  EXPECT_EQ(looked_up(key_of(4)).outcome, LookupOutcome::kL1Hit);
}

// A disk drops what is oldest first.
TEST_F(TagPurgeTest, a_marker_in_a_tier_of_ones_own_stays_as_young_as_its_answers) {
  l2.claims_to_be_shared = false;
  store(key_of(1), tagged({"a"}));
  const auto first = l2.entries.at(tag_marker_key("a"));
  store(key_of(2), tagged({"a"}));
  EXPECT_EQ(l2.entries.at(tag_marker_key("a")), first);
  clock->advance_ms(30'000);
  store(key_of(3), tagged({"a"}));
  const auto renewed = l2.entries.at(tag_marker_key("a"));
  EXPECT_NE(renewed, first);
  EXPECT_EQ(generation_of(renewed), generation_of(first));
  EXPECT_EQ(renewed->expires_ms, first->expires_ms + 30'000);
  EXPECT_EQ(looked_up(key_of(1)).outcome, LookupOutcome::kL1Hit);
  EXPECT_EQ(looked_up(key_of(3)).outcome, LookupOutcome::kL1Hit);
  purge("a");
  clock->advance_ms(30'000);
  EXPECT_EQ(looked_up(key_of(3)).outcome, LookupOutcome::kMiss);
}

TEST_F(TagPurgeTest, a_marker_that_others_may_have_removed_is_not_written_again) {
  store(key_of(1), tagged({"a"}));
  purge_elsewhere("a");
  clock->advance_ms(60'000);
  store(key_of(2), tagged({"a"}));
  EXPECT_FALSE(l2.entries.contains(tag_marker_key("a")));
}

TEST_F(TagPurgeTest, what_is_stored_after_a_purge_is_found_again) {
  store(key, tagged({"a"}, "old"));
  purge("a");
  store(key, tagged({"a"}, "new"));
  EXPECT_EQ(looked_up(key).entry->response.content, "new");
  forget_l1(key);
  EXPECT_EQ(looked_up(key).entry->response.content, "new");
}

TEST_F(TagPurgeTest, an_answer_asked_for_before_a_purge_does_not_survive_it) {
  store(key_of(1), tagged({"a"}));
  const auto ticket = cache.stamp({"a"});
  purge("a");
  cache.store(key_of(2), tagged({"a"}, "asked before"), ticket);
  l2.release_all();
  EXPECT_EQ(looked_up(key_of(2)).outcome, LookupOutcome::kMiss);
  store(key_of(3), tagged({"a"}));  // the tag lives again
  EXPECT_EQ(looked_up(key_of(2)).outcome, LookupOutcome::kMiss);
}

TEST_F(TagPurgeTest, nor_does_the_first_under_its_tag_whose_generation_is_still_being_looked_for) {
  const auto ticket = cache.stamp({"a"});  // L2 has not answered
  Outcome<Status> purged;
  cache.purge_tag("a", purged.handler());
  l2.release_next();  // what the ticket asked
  cache.store(key, tagged({"a"}), ticket);
  l2.release_all();
  EXPECT_TRUE(purged.value.value().ok());
  EXPECT_EQ(looked_up(key).outcome, LookupOutcome::kMiss);
  EXPECT_EQ(l2.entries.count(key), 0U);
}

TEST_F(TagPurgeTest, a_marker_read_while_its_tag_is_purged_does_not_come_back) {
  store(key, tagged({"a"}));
  forget_l1(tag_marker_key("a"));
  Outcome<LookedUp> under_way;
  cache.lookup(key, under_way.handler());  // L2 has read the entry
  l2.release_next();                       // and the marker
  Outcome<Status> purged;
  cache.purge_tag("a", purged.handler());
  l2.release_all();
  EXPECT_TRUE(purged.value.value().ok());
  EXPECT_EQ(looked_up(key).outcome, LookupOutcome::kMiss);
}

TEST_F(TagPurgeTest, another_processs_purge_counts_for_all_that_comes_from_l2) {
  store(key_of(1), tagged({"a"}));
  store(key_of(2), tagged({"a"}));
  forget_l1(key_of(2));
  purge_elsewhere("a");
  EXPECT_EQ(looked_up(key_of(2)).outcome, LookupOutcome::kMiss);
}

TEST_F(TagPurgeTest, nor_is_it_offered_stale_by_a_lookup_that_l2_tells_of_it) {
  auto stale = std::make_shared<Entry>(*stale_for(60'000));
  stale->tags = {"a"};
  store(key, stale);
  ASSERT_EQ(looked_up(key).outcome, LookupOutcome::kStale);
  purge_elsewhere("a");
  EXPECT_EQ(looked_up(key).outcome, LookupOutcome::kMiss);
}

TEST_F(TagPurgeTest, a_generation_begun_elsewhere_ends_what_l1_has_under_the_old_one) {
  store(key_of(1), tagged({"a"}));
  l2.entries[tag_marker_key("a")] = make_tag_marker(clock->now_ms());
  auto theirs = std::make_shared<Entry>(*tagged({"a"}, "theirs"));
  theirs->tag_stamps = {{tag_marker_key("a"), generation_of(l2.entries.at(tag_marker_key("a")))}};
  l2.entries[key_of(2)] = theirs;
  EXPECT_EQ(looked_up(key_of(2)).entry->response.content, "theirs");
  EXPECT_EQ(looked_up(key_of(1)).outcome, LookupOutcome::kMiss);
}

TEST_F(TagPurgeTest, a_lost_marker_is_a_miss_never_an_old_answer) {
  store(key, tagged({"a"}));
  l2.entries.erase(tag_marker_key("a"));
  forget_l1(tag_marker_key("a"));
  EXPECT_EQ(looked_up(key).outcome, LookupOutcome::kMiss);
}

TEST_F(TagPurgeTest, a_marker_that_only_l2_has_lost_begins_anew) {
  store(key_of(1), tagged({"a"}));
  forget_l1(key_of(1));
  l2.entries.erase(tag_marker_key("a"));
  EXPECT_EQ(looked_up(key_of(1)).outcome, LookupOutcome::kMiss);
  store(key_of(2), tagged({"a"}));
  forget_l1(key_of(2));
  EXPECT_EQ(looked_up(key_of(2)).outcome, LookupOutcome::kL2Hit);
}

TEST_F(TagPurgeTest, stores_of_other_answers_do_not_void_a_ticket) {
  const auto ticket = cache.stamp({"a"});
  for (std::uint64_t i = 0; i < 1'000; ++i) cache.store(key_of(i), fresh_for(60'000));
  l2.release_all();
  cache.store(key, tagged({"a"}), ticket);
  EXPECT_EQ(looked_up(key).entry->tags, std::vector<std::string>{"a"});
}

TEST_F(TagPurgeTest, an_entry_whose_tags_were_never_stamped_is_a_miss) {
  l2.entries[key] = tagged({"a"});
  EXPECT_EQ(looked_up(key).outcome, LookupOutcome::kMiss);
}

TEST_F(TagPurgeTest, without_an_answer_from_l2_tags_hold_in_memory_alone) {
  l2.failure = Error{ErrorCode::kUnavailable, "away"};
  store(key, tagged({"a"}));
  EXPECT_EQ(looked_up(key).outcome, LookupOutcome::kL1Hit);
  l2.failure.reset();
  purge("a");
  EXPECT_EQ(looked_up(key).outcome, LookupOutcome::kMiss);
}

TEST_F(TagPurgeTest, a_purge_that_l2_does_not_hear_of_fails_and_holds_in_memory) {
  store(key, tagged({"a"}));
  l2.failure = Error{ErrorCode::kUnavailable, "away"};
  Outcome<Status> outcome;
  cache.purge_tag("a", outcome.handler());
  l2.release_all();
  EXPECT_EQ(outcome.value.value().error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(looked_up(key).outcome, LookupOutcome::kMiss);
}

TEST_F(TagPurgeTest, two_who_begin_a_tag_at_once_share_its_generation) {
  const auto first = cache.stamp({"a"});
  const auto second = cache.stamp({"a"});
  l2.release_all();
  cache.store(key_of(1), tagged({"a"}), first);
  cache.store(key_of(2), tagged({"a"}), second);
  EXPECT_EQ(looked_up(key_of(1)).outcome, LookupOutcome::kL1Hit);
  EXPECT_EQ(looked_up(key_of(2)).outcome, LookupOutcome::kL1Hit);
}

TEST_F(TagPurgeTest, memory_alone_needs_no_second_tier) {
  TieredCache alone(std::make_unique<MemoryTier>(L1Config{}, clock), nullptr, clock);
  alone.store(key, tagged({"a"}));
  EXPECT_EQ(alone.lookup_l1(key).outcome, LookupOutcome::kL1Hit);
  alone.purge_tag("a", [](const Status& purged) { EXPECT_TRUE(purged.ok()); });
  EXPECT_EQ(alone.lookup_l1(key).outcome, LookupOutcome::kMiss);
}

TEST_F(TagPurgeTest, no_tags_need_no_ticket) {
  EXPECT_EQ(cache.stamp({}), nullptr);
  cache.store(key, fresh_for(60'000), nullptr);
  EXPECT_EQ(looked_up(key).outcome, LookupOutcome::kL1Hit);
}

TEST(TagStampTest, markers_of_different_tags_have_different_keys) {
  EXPECT_EQ(tag_marker_key("a"), tag_marker_key("a"));
  EXPECT_NE(tag_marker_key("a"), tag_marker_key("b"));
  EXPECT_NE(tag_marker_key(""), tag_marker_key("a"));
}

TEST(TagStampTest, every_marker_is_of_a_generation_of_its_own) {
  const auto one = make_tag_marker(0);
  const auto two = make_tag_marker(0);
  EXPECT_TRUE(is_tag_marker(*one));
  EXPECT_NE(generation_of(one), 0U);
  EXPECT_NE(generation_of(one), generation_of(two));
}

TEST(TagStampTest, what_is_no_marker_has_no_generation) {
  EXPECT_EQ(generation_of(nullptr), 0U);
  EXPECT_EQ(generation_of(entry_of("17", {})), 0U);
  auto cut = std::make_shared<Entry>(*make_tag_marker(0));
  cut->response.content = "12x";
  EXPECT_EQ(generation_of(cut), 0U);
}

}  // namespace
}  // namespace llm_edge_cache::test
