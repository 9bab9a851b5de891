#include "tiers/disk/removal_mask.hpp"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "tests/support/entries.hpp"

namespace llm_edge_cache::disk {
namespace {

using test::key_of;

TEST(RemovalMaskTest, hides_a_key_and_no_other) {
  RemovalMask mask;
  EXPECT_FALSE(mask.hides(key_of(1)));
  mask.hide(key_of(1));
  EXPECT_TRUE(mask.hides(key_of(1)));
  EXPECT_FALSE(mask.hides(key_of(2)));
  mask.unhide(key_of(1));
  EXPECT_FALSE(mask.hides(key_of(1)));
}

TEST(RemovalMaskTest, a_key_removed_twice_is_hidden_until_both_are_written) {
  RemovalMask mask;
  mask.hide(key_of(1));
  mask.hide(key_of(1));
  mask.unhide(key_of(1));
  EXPECT_TRUE(mask.hides(key_of(1)));
  mask.unhide(key_of(1));
  EXPECT_FALSE(mask.hides(key_of(1)));
}

TEST(RemovalMaskTest, two_clears_hide_everything_until_both_have_ended) {
  RemovalMask mask;
  mask.hide_all();
  mask.hide_all();
  mask.unhide_all();
  EXPECT_TRUE(mask.hides(key_of(7)));
  mask.unhide_all();
  EXPECT_FALSE(mask.hides(key_of(7)));
}

TEST(RemovalMaskTest, the_end_of_a_clear_does_not_show_what_was_removed) {
  RemovalMask mask;
  mask.hide(key_of(1));
  mask.hide_all();
  mask.unhide_all();
  EXPECT_TRUE(mask.hides(key_of(1)));
}

TEST(RemovalMaskTest, whoever_hides_a_key_sees_it_hidden_among_many_threads) {
  RemovalMask mask;
  std::vector<std::thread> threads;
  for (std::uint64_t thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&mask, thread] {
      for (std::uint64_t round = 0; round < 2'000; ++round) {
        const KeyDigest key = key_of(thread * 10'000 + round);
        mask.hide(key);
        EXPECT_TRUE(mask.hides(key));
        mask.unhide(key);
        EXPECT_FALSE(mask.hides(key));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace llm_edge_cache::disk
