#include "tiers/redis/write_watch.hpp"

#include <gtest/gtest.h>

#include "tests/support/entries.hpp"

namespace llm_edge_cache::redis {
namespace {

const KeyDigest kKey = test::key_of(1);

TEST(WriteWatchTest, sees_a_change_by_another_during_a_write) {
  WriteWatch watch;
  watch.begin(kKey);
  watch.note_change(kKey);
  EXPECT_TRUE(watch.end(kKey));
}

TEST(WriteWatchTest, has_nothing_to_say_of_a_quiet_write) {
  WriteWatch watch;
  watch.begin(kKey);
  EXPECT_FALSE(watch.end(kKey));
}

TEST(WriteWatchTest, forgets_changes_outside_of_writes) {
  WriteWatch watch;
  watch.note_change(kKey);
  watch.begin(kKey);
  EXPECT_FALSE(watch.end(kKey));
}

TEST(WriteWatchTest, tells_each_of_the_writes_that_a_change_met) {
  WriteWatch watch;
  watch.begin(kKey);
  watch.begin(kKey);
  watch.note_change(kKey);
  EXPECT_TRUE(watch.end(kKey));
  EXPECT_TRUE(watch.end(kKey));
  watch.begin(kKey);
  EXPECT_FALSE(watch.end(kKey));
}

TEST(WriteWatchTest, sees_a_change_of_all) {
  WriteWatch watch;
  watch.begin(kKey);
  watch.note_change_of_all();
  EXPECT_TRUE(watch.end(kKey));
}

}  // namespace
}  // namespace llm_edge_cache::redis
