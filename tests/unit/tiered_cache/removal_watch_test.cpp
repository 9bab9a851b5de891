// What was asked for before a removal must not be stored after it.
#include "core/removal_watch.hpp"

#include "core/tag_stamp.hpp"
#include "tests/unit/tiered_cache/fixture.hpp"

namespace llm_edge_cache::test {
namespace {

class RemovalWatchesTest : public ::testing::Test {
 protected:
  const std::shared_ptr<RemovalWatches> watches_ = std::make_shared<RemovalWatches>();
};

TEST_F(RemovalWatchesTest, a_removal_of_its_key_ends_a_watch_and_no_other) {
  const auto one = watches_->watch(key_of(1));
  const auto same = watches_->watch(key_of(1));
  std::vector<RemovalWatchPtr> others;
  for (std::uint64_t i = 2; i < 1'000; ++i) others.push_back(watches_->watch(key_of(i)));
  watches_->note(key_of(1));
  EXPECT_TRUE(one->is_over());
  EXPECT_TRUE(same->is_over());
  for (const auto& other : others) EXPECT_FALSE(other->is_over());
}

TEST_F(RemovalWatchesTest, a_watch_that_is_taken_after_it_goes_on) {
  watches_->note(key_of(1));
  watches_->note_all();
  EXPECT_FALSE(watches_->watch(key_of(1))->is_over());
}

TEST_F(RemovalWatchesTest, a_removal_of_everything_ends_all) {
  const auto one = watches_->watch(key_of(1));
  const auto two = watches_->watch(key_of(2));
  watches_->note_all();
  EXPECT_TRUE(one->is_over());
  EXPECT_TRUE(two->is_over());
}

TEST_F(RemovalWatchesTest, watches_that_are_gone_are_forgotten_and_the_rest_stay) {
  const auto kept = watches_->watch(key_of(1));
  for (int i = 0; i < 3; ++i) (void)watches_->watch(key_of(1));
  watches_->note(key_of(1));
  EXPECT_TRUE(kept->is_over());
}

TEST_F(RemovalWatchesTest, tells_whether_there_was_any_since) {
  const auto before = watches_->count();
  const auto watch = watches_->watch(key_of(1));
  EXPECT_EQ(watches_->count(), before);
  watches_->note(key_of(2));
  EXPECT_NE(watches_->count(), before);
}

TEST(RemovalWatchTest, outlives_those_who_note) {
  auto watches = std::make_shared<RemovalWatches>();
  const auto watch = watches->watch(key_of(1));
  watches.reset();
  EXPECT_FALSE(watch->is_over());
}

class AskedBeforeTest : public TieredCacheTest {
 protected:
  void land(const RemovalWatchPtr& watch) {
    cache.store(key, fresh_for(1'000, "asked before"), nullptr, nullptr, watch);
  }
  void remove(const KeyDigest& wanted) {
    cache.remove(wanted, [](const Result<bool>&) {});
    l2.release_all();
  }
  void expect_stored(bool is_stored) {
    EXPECT_EQ(cache.lookup_l1(key).is_hit(), is_stored);
    EXPECT_EQ(l2.entries.contains(key), is_stored);
  }
};

TEST_F(AskedBeforeTest, an_answer_lands_where_nothing_was_removed) {
  const auto watch = cache.watch(key);
  land(watch);
  expect_stored(true);
}

TEST_F(AskedBeforeTest, a_removal_of_the_key_wins_over_it) {
  const auto watch = cache.watch(key);
  remove(key);
  land(watch);
  expect_stored(false);
}

TEST_F(AskedBeforeTest, so_does_one_that_l2_has_not_acknowledged) {
  const auto watch = cache.watch(key);
  Outcome<Result<bool>> removed;
  cache.remove(key, removed.handler());
  land(watch);
  l2.release_all();
  expect_stored(false);
}

TEST_F(AskedBeforeTest, so_does_one_that_ends_after_the_answer_was_asked_for) {
  Outcome<Result<bool>> removed;
  cache.remove(key, removed.handler());
  const auto watch = cache.watch(key);
  l2.release_all();
  EXPECT_TRUE(watch->is_over());
}

TEST_F(AskedBeforeTest, and_one_that_l2_does_not_hear_of) {
  const auto watch = cache.watch(key);
  l2.failure = Error{ErrorCode::kUnavailable, "away"};
  remove(key);
  land(watch);
  expect_stored(false);
}

TEST_F(AskedBeforeTest, a_clear_wins_over_it_before_and_after_it_has_ended) {
  const auto watch = cache.watch(key);
  Outcome<Status> cleared;
  cache.clear(cleared.handler());
  land(watch);
  EXPECT_FALSE(cache.lookup_l1(key).is_hit());
  l2.release_all();
  land(watch);
  expect_stored(false);
}

TEST_F(AskedBeforeTest, removals_of_other_keys_do_not) {
  const auto watch = cache.watch(key);
  for (std::uint64_t i = 2; i < 1'000; ++i) remove(key_of(i));
  land(watch);
  expect_stored(true);
}

TEST_F(AskedBeforeTest, nor_does_an_own_store) {
  const auto watch = cache.watch(key);
  cache.store(key, fresh_for(1'000, "of another request"));
  land(watch);
  EXPECT_EQ(cache.lookup_l1(key).entry->response.content, "asked before");
}

TEST_F(AskedBeforeTest, a_purge_of_a_tag_ends_the_ticket_and_whoever_watches_it) {
  const auto ticket = cache.stamp({"a", "b"});
  const std::vector<std::string> tags = {"b"};
  const auto watches = cache.watch({&key, 1}, tags);
  l2.release_all();
  EXPECT_FALSE(ticket->is_void());
  remove(tag_marker_key("b"));
  EXPECT_TRUE(ticket->is_void());
  EXPECT_FALSE(watches[0]->is_over());
  EXPECT_TRUE(watches[1]->is_over());
}

TEST_F(AskedBeforeTest, memory_alone_holds_to_it_too) {
  TieredCache alone(std::make_unique<MemoryTier>(L1Config{}, clock), nullptr, clock);
  const auto watch = alone.watch(key);
  alone.remove(key, [](const Result<bool>&) {});
  alone.store(key, fresh_for(1'000), nullptr, nullptr, watch);
  EXPECT_FALSE(alone.lookup_l1(key).is_hit());
  const auto other = alone.watch(key);
  alone.clear([](const Status&) {});
  alone.store(key, fresh_for(1'000), nullptr, nullptr, other);
  EXPECT_FALSE(alone.lookup_l1(key).is_hit());
}

}  // namespace
}  // namespace llm_edge_cache::test
