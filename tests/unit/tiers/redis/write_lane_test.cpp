#include "tiers/redis/write_lane.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/tiers/redis/recording_operation.hpp"

namespace llm_edge_cache::redis {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class WriteLaneTest : public ::testing::Test {
 protected:
  void push(const char* name) { lane_.push(recording(name, journal_)); }
  void push_waited_for(const char* name, milliseconds deadline) {
    lane_.push(recording(name, journal_, {.waited_for = true, .deadline = start_ + deadline}));
  }
  std::string pop() {
    std::string out;
    lane_.pop()->append_to(out);
    return out;
  }

  const TimePoint start_{std::chrono::hours{1}};
  Journal journal_;
  WriteLane lane_;
};

TEST_F(WriteLaneTest, keeps_the_order) {
  push("a");
  push_waited_for("b", milliseconds{1});
  push("c");
  EXPECT_EQ(pop(), "<a>");
  EXPECT_EQ(pop(), "<b>");
  EXPECT_EQ(pop(), "<c>");
  EXPECT_TRUE(lane_.empty());
}

TEST_F(WriteLaneTest, knows_the_first_deadline_of_those_waited_for) {
  EXPECT_EQ(lane_.next_deadline(), std::nullopt);
  push("a");
  EXPECT_EQ(lane_.next_deadline(), std::nullopt);
  push_waited_for("b", milliseconds{200});
  push_waited_for("c", milliseconds{100});
  EXPECT_EQ(lane_.next_deadline(), start_ + milliseconds{100});
}

TEST_F(WriteLaneTest, tells_who_waits_too_long_and_keeps_the_operation) {
  push("a");
  push_waited_for("b", milliseconds{200});
  push_waited_for("c", milliseconds{100});
  lane_.expire(start_ + milliseconds{100});
  EXPECT_THAT(journal_, ElementsAre("c not waited for: deadline_exceeded"));
  EXPECT_EQ(lane_.size(), 3U);
  EXPECT_EQ(lane_.next_deadline(), start_ + milliseconds{200});
}

TEST_F(WriteLaneTest, tells_everyone_once_when_waiting_is_vain) {
  push_waited_for("a", milliseconds{200});
  push("b");
  push_waited_for("c", milliseconds{100});
  lane_.stop_waiting({ErrorCode::kUnavailable, "away"});
  lane_.stop_waiting({ErrorCode::kUnavailable, "away"});
  EXPECT_THAT(journal_,
              ElementsAre("a not waited for: unavailable", "c not waited for: unavailable"));
  EXPECT_EQ(lane_.size(), 3U);
}

TEST_F(WriteLaneTest, forgets_the_deadline_of_what_was_popped) {
  push_waited_for("a", milliseconds{100});
  EXPECT_EQ(pop(), "<a>");
  EXPECT_EQ(lane_.next_deadline(), std::nullopt);
  lane_.expire(start_ + milliseconds{500});
  EXPECT_THAT(journal_, IsEmpty());
}

TEST_F(WriteLaneTest, fails_all_when_it_is_closed) {
  push("a");
  push_waited_for("b", milliseconds{100});
  lane_.close({ErrorCode::kCancelled, "bye"});
  EXPECT_THAT(journal_, ElementsAre("a: cancelled", "b: cancelled"));
  EXPECT_TRUE(lane_.empty());
  EXPECT_EQ(lane_.next_deadline(), std::nullopt);
}

}  // namespace
}  // namespace llm_edge_cache::redis
