#include "tiers/redis/hole_doubt.hpp"

#include <gtest/gtest.h>

namespace llm_edge_cache::redis {
namespace {

using std::chrono::milliseconds;

SlotMap map_without(std::uint16_t hole) {
  SlotMap map;
  for (std::uint16_t slot = 0; slot < kClusterSlots; ++slot) {
    if (slot != hole) map.move(slot, {"10.0.0.1", 7'000});
  }
  return map;
}

class HoleDoubtTest : public ::testing::Test {
 protected:
  bool doubts(const SlotMap& known, const SlotMap& fresh, milliseconds at) {
    return doubt_.doubts(known, fresh, HoleDoubt::TimePoint(at));
  }

  HoleDoubt doubt_;
  const SlotMap whole_ = map_without(kClusterSlots);
  const SlotMap with_hole_ = map_without(7);
};

TEST_F(HoleDoubtTest, a_whole_map_is_believed_whatever_was_known) {
  EXPECT_FALSE(doubts(whole_, whole_, milliseconds(0)));
  EXPECT_FALSE(doubts(with_hole_, whole_, milliseconds(0)));
  EXPECT_FALSE(doubts(SlotMap(), whole_, milliseconds(0)));
}

TEST_F(HoleDoubtTest, a_hole_is_believed_once_it_has_stayed_for_a_while) {
  EXPECT_TRUE(doubts(whole_, with_hole_, milliseconds(5)));
  EXPECT_TRUE(doubts(whole_, with_hole_, milliseconds(1'004)));
  EXPECT_FALSE(doubts(whole_, with_hole_, milliseconds(1'005)));
}

TEST_F(HoleDoubtTest, the_next_hole_is_given_as_long_again) {
  EXPECT_TRUE(doubts(whole_, with_hole_, milliseconds(0)));
  EXPECT_FALSE(doubts(whole_, whole_, milliseconds(500)));
  EXPECT_TRUE(doubts(whole_, with_hole_, milliseconds(2'000)));
  EXPECT_TRUE(doubts(whole_, with_hole_, milliseconds(2'999)));
}

TEST_F(HoleDoubtTest, who_knows_of_a_hole_already_believes_in_another) {
  EXPECT_FALSE(doubts(with_hole_, map_without(8), milliseconds(0)));
  EXPECT_FALSE(doubts(SlotMap(), with_hole_, milliseconds(0)));
}

}  // namespace
}  // namespace llm_edge_cache::redis
