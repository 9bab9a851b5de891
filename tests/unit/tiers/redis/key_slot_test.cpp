#include "tiers/redis/key_slot.hpp"

#include <gtest/gtest.h>

#include <string>

namespace llm_edge_cache::redis {
namespace {

// From the cluster specification, and from CLUSTER KEYSLOT of Redis 7.0.15.
TEST(KeySlotTest, agrees_with_redis) {
  EXPECT_EQ(key_slot("123456789"), 0x31C3);
  EXPECT_EQ(key_slot(""), 0);
  EXPECT_EQ(key_slot("foo"), 12'182);
  EXPECT_EQ(key_slot("bar"), 5'061);
  EXPECT_EQ(key_slot("hello"), 866);
}

TEST(KeySlotTest, hashes_only_what_is_between_the_first_braces) {
  EXPECT_EQ(key_slot("{user1000}.following"), key_slot("user1000"));
  EXPECT_EQ(key_slot("a{b}c{d}"), key_slot("b"));
  EXPECT_EQ(key_slot("foo{bar}{zap}"), key_slot("bar"));
  EXPECT_EQ(key_slot("foo{{bar}}zap"), key_slot("{bar"));
}

TEST(KeySlotTest, hashes_the_whole_key_where_the_braces_hold_nothing) {
  EXPECT_NE(key_slot("foo{}{bar}"), key_slot("bar"));
  EXPECT_NE(key_slot("foo{bar"), key_slot("bar"));
  EXPECT_NE(key_slot("foo}bar{"), key_slot("bar"));
}

}  // namespace
}  // namespace llm_edge_cache::redis
