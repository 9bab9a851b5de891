#include "tiers/redis/slot_writes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/tiers/redis/recording_operation.hpp"

namespace llm_edge_cache::redis {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

const ServerAddress kOld{"old", 1};
const ServerAddress kNew{"new", 1};
constexpr std::uint16_t kSlot = 7;

class SlotWritesTest : public ::testing::Test {
 protected:
  OperationPtr write(const std::string& name) { return recording(name, journal_); }
  // Their names, by the bytes they send.
  static std::vector<std::string> names(const std::vector<OperationPtr>& operations) {
    std::vector<std::string> result;
    for (const OperationPtr& operation : operations) operation->append_to(result.emplace_back());
    return result;
  }

  Journal journal_;
  SlotWrites writes_;
};

TEST_F(SlotWritesTest, lets_writes_to_one_node_go_without_waiting) {
  EXPECT_TRUE(writes_.begin(kSlot, kOld));
  EXPECT_TRUE(writes_.begin(kSlot, kOld));
  EXPECT_FALSE(writes_.end(kSlot));
  EXPECT_FALSE(writes_.end(kSlot));
  EXPECT_EQ(writes_.busy_slots(), 0U);
}

TEST_F(SlotWritesTest, does_not_mix_up_slots) {
  EXPECT_TRUE(writes_.begin(kSlot, kOld));
  EXPECT_TRUE(writes_.begin(kSlot + 1, kNew));
}

TEST_F(SlotWritesTest, holds_a_write_for_another_node_until_those_before_it_have_ended) {
  ASSERT_TRUE(writes_.begin(kSlot, kOld));
  ASSERT_TRUE(writes_.begin(kSlot, kOld));
  ASSERT_FALSE(writes_.begin(kSlot, kNew));
  writes_.hold(kSlot, write("later"));
  EXPECT_FALSE(writes_.end(kSlot));
  EXPECT_THAT(writes_.take(kSlot), IsEmpty());
  EXPECT_TRUE(writes_.end(kSlot));
  EXPECT_THAT(names(writes_.take(kSlot)), ElementsAre("<later>"));
  EXPECT_TRUE(writes_.begin(kSlot, kNew));
}

TEST_F(SlotWritesTest, sends_what_came_back_before_what_was_held) {
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(writes_.begin(kSlot, kOld));
  writes_.hold_first(kSlot, write("first"));
  EXPECT_FALSE(writes_.end(kSlot));
  ASSERT_FALSE(writes_.begin(kSlot, kNew));
  writes_.hold(kSlot, write("fourth"));
  writes_.hold_first(kSlot, write("second"));
  EXPECT_FALSE(writes_.end(kSlot));
  writes_.hold_first(kSlot, write("third"));
  EXPECT_TRUE(writes_.end(kSlot));
  EXPECT_THAT(names(writes_.take(kSlot)),
              ElementsAre("<first>", "<second>", "<third>", "<fourth>"));
}

// Of five writes to a node that leaves, two were on the wire; it answers them later.
TEST_F(SlotWritesTest, sends_what_a_node_sends_back_before_what_it_was_not_sent) {
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(writes_.begin(kSlot, kOld));
  ASSERT_FALSE(writes_.begin(kSlot, kNew));
  writes_.hold(kSlot, write("fifth"));
  writes_.hold_unsent(kSlot, write("fourth"));
  EXPECT_FALSE(writes_.end(kSlot));
  writes_.hold_unsent(kSlot, write("third"));
  EXPECT_FALSE(writes_.end(kSlot));
  writes_.hold_first(kSlot, write("first"));
  EXPECT_FALSE(writes_.end(kSlot));
  writes_.hold_first(kSlot, write("second"));
  EXPECT_TRUE(writes_.end(kSlot));
  EXPECT_THAT(names(writes_.take(kSlot)),
              ElementsAre("<first>", "<second>", "<third>", "<fourth>", "<fifth>"));
}

TEST_F(SlotWritesTest, lets_nobody_pass_between_the_end_and_the_taking) {
  ASSERT_TRUE(writes_.begin(kSlot, kOld));
  writes_.hold_first(kSlot, write("first"));
  ASSERT_TRUE(writes_.end(kSlot));
  EXPECT_FALSE(writes_.begin(kSlot, kOld));
  EXPECT_FALSE(writes_.begin(kSlot, kNew));
}

TEST_F(SlotWritesTest, tells_those_who_wait_when_their_deadline_passes_and_keeps_their_place) {
  const auto removal = [this](const std::string& name, int at) {
    return recording(name, journal_, {.waited_for = true, .deadline = TimePoint{} + seconds{at}});
  };
  ASSERT_TRUE(writes_.begin(kSlot, kOld));
  EXPECT_EQ(writes_.next_deadline(), std::nullopt);
  writes_.hold(kSlot, write("put"));
  writes_.hold(kSlot, removal("b", 2));
  writes_.hold(kSlot, removal("a", 1));
  EXPECT_EQ(writes_.next_deadline(), TimePoint{} + seconds{1});
  writes_.expire(TimePoint{} + seconds{1});
  EXPECT_THAT(journal_, ElementsAre("a not waited for: deadline_exceeded"));
  EXPECT_EQ(writes_.next_deadline(), TimePoint{} + seconds{2});
  EXPECT_TRUE(writes_.end(kSlot));
  EXPECT_THAT(names(writes_.take(kSlot)), ElementsAre("<put>", "<b>", "<a>"));
  EXPECT_EQ(writes_.next_deadline(), std::nullopt);
  writes_.stop_waiting({ErrorCode::kUnavailable, "away"});
  EXPECT_EQ(journal_.size(), 1U);
}

TEST_F(SlotWritesTest, gives_up_all_that_it_holds) {
  ASSERT_TRUE(writes_.begin(kSlot, kOld));
  ASSERT_TRUE(writes_.begin(kSlot + 1, kOld));
  writes_.hold(kSlot, write("a"));
  writes_.hold_first(kSlot + 1, write("b"));
  EXPECT_EQ(writes_.take_all().size(), 2U);
  EXPECT_FALSE(writes_.end(kSlot));
  EXPECT_FALSE(writes_.end(kSlot + 1));
  EXPECT_EQ(writes_.busy_slots(), 0U);
}

}  // namespace
}  // namespace llm_edge_cache::redis
