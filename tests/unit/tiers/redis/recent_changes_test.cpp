#include "tiers/redis/recent_changes.hpp"

#include <gtest/gtest.h>

#include "tests/support/entries.hpp"

namespace llm_edge_cache::redis {
namespace {

using std::chrono::milliseconds;

const KeyDigest kKey = test::key_of(1);
const KeyDigest kOther = test::key_of(2);
constexpr TimePoint kStart{std::chrono::hours{1}};

TEST(RecentChangesTest, knows_of_a_change_until_replicas_do) {
  RecentChanges changes;
  EXPECT_FALSE(changes.has(kKey, kStart));
  changes.note(kKey, kStart);
  EXPECT_TRUE(changes.has(kKey, kStart));
  EXPECT_TRUE(changes.has(kKey, kStart + RecentChanges::kGrace - milliseconds{1}));
  EXPECT_FALSE(changes.has(kKey, kStart + RecentChanges::kGrace));
  EXPECT_FALSE(changes.has(kOther, kStart));
}

TEST(RecentChangesTest, begins_anew_with_every_change) {
  RecentChanges changes;
  changes.note(kKey, kStart);
  changes.note(kKey, kStart + milliseconds{3'000});
  EXPECT_TRUE(changes.has(kKey, kStart + RecentChanges::kGrace + milliseconds{2'999}));
}

TEST(RecentChangesTest, takes_a_change_of_all_for_one_of_each) {
  RecentChanges changes;
  changes.note_all(kStart);
  EXPECT_TRUE(changes.has(kKey, kStart));
  EXPECT_TRUE(changes.has(kOther, kStart));
  EXPECT_FALSE(changes.has(kKey, kStart + RecentChanges::kGrace));
}

TEST(RecentChangesTest, knows_of_nothing_when_the_clock_has_just_begun) {
  const RecentChanges changes;
  EXPECT_FALSE(changes.has(kKey, TimePoint{}));
}

}  // namespace
}  // namespace llm_edge_cache::redis
