#include "tiers/redis/flight_desk.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>

#include "tests/support/entries.hpp"

namespace llm_edge_cache::redis {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Ask = LeaseOperation::Kind;
using Ending = FlightDesk::Ending;

const KeyDigest kKey = test::key_of(1);
const KeyDigest kOther = test::key_of(2);
constexpr milliseconds kLease{3'000};

class FlightDeskTest : public ::testing::Test {
 protected:
  struct Question {
    Ask kind;
    KeyDigest key;
    std::string token;
    LeaseOperation::Handler handler;
  };

  void take(const std::string& name, const KeyDigest& key = kKey) {
    desk_.take_turn(key, now_, [this, name](FlightTurn::Kind kind, const std::string& token) {
      const char* const word = kind == FlightTurn::Kind::kLease    ? ": lease "
                               : kind == FlightTurn::Kind::kLanded ? ": landed"
                                                                   : ": alone";
      turns_.push_back(name + word + token);
    });
  }
  // Answers the oldest question, which must be of that kind.
  void answer(Ask kind, Result<bool> result) {
    ASSERT_FALSE(questions_.empty());
    const Question question = questions_.front();
    questions_.pop_front();
    ASSERT_EQ(question.kind, kind);
    question.handler(std::move(result));
  }
  void take_and_wait(const std::string& name) {
    take(name);
    answer(Ask::kAcquire, false);
  }
  void hold() {
    take("holder");
    answer(Ask::kAcquire, true);
    turns_.clear();
  }
  void pass(milliseconds time) {
    now_ += time;
    desk_.on_time(now_);
  }

  TimePoint now_{std::chrono::hours{1}};
  std::deque<Question> questions_;
  std::vector<std::string> turns_;
  std::vector<std::pair<FleetMessage::Kind, KeyDigest>> told_;
  int tokens_ = 0;
  FlightDesk desk_{{.ask =
                        [this](Ask kind, const KeyDigest& key, const std::string& token,
                               LeaseOperation::Handler handler) {
                          questions_.push_back({kind, key, token, std::move(handler)});
                        },
                    .tell = [this](FleetMessage::Kind kind,
                                   const KeyDigest& key) { told_.emplace_back(kind, key); },
                    .make_token = [this] { return "t" + std::to_string(++tokens_); }},
                   kLease};
};

TEST_F(FlightDeskTest, gives_the_flight_to_whoever_gets_the_lease) {
  take("a");
  EXPECT_EQ(questions_.front().token, "t1");
  answer(Ask::kAcquire, true);
  EXPECT_THAT(turns_, ElementsAre("a: lease t1"));
  EXPECT_EQ(desk_.counts().leases, 1U);
  EXPECT_EQ(desk_.counts().takeovers, 0U);
}

TEST_F(FlightDeskTest, lets_go_alone_where_the_store_does_not_say) {
  take("a");
  answer(Ask::kAcquire, Error{ErrorCode::kUnavailable, "away"});
  EXPECT_THAT(turns_, ElementsAre("a: alone"));
  EXPECT_FALSE(desk_.next_time().has_value());
}

TEST_F(FlightDeskTest, waits_until_the_answer_lands) {
  take_and_wait("a");
  EXPECT_THAT(turns_, IsEmpty());
  desk_.on_landed(kOther);
  EXPECT_THAT(turns_, IsEmpty());
  desk_.on_landed(kKey);
  EXPECT_THAT(turns_, ElementsAre("a: landed"));
  EXPECT_EQ(desk_.counts().waits, 1U);
  EXPECT_EQ(desk_.counts().waits_landed, 1U);
}

TEST_F(FlightDeskTest, lets_all_who_wait_go_alone_where_no_answer_comes) {
  take_and_wait("a");
  take_and_wait("b");
  desk_.on_not_stored(kKey);
  EXPECT_THAT(turns_, ElementsAre("a: alone", "b: alone"));
}

TEST_F(FlightDeskTest, asks_again_while_it_waits_and_takes_over_from_a_holder_that_died) {
  take_and_wait("a");
  pass(FlightDesk::kAskAgain - milliseconds{1});
  EXPECT_TRUE(questions_.empty());
  pass(milliseconds{1});
  answer(Ask::kAcquire, false);
  EXPECT_THAT(turns_, IsEmpty());
  pass(FlightDesk::kAskAgain);
  answer(Ask::kAcquire, true);
  EXPECT_THAT(turns_, ElementsAre("a: lease t1"));
  EXPECT_EQ(desk_.counts().takeovers, 1U);
  EXPECT_EQ(desk_.counts().waits, 1U);
}

TEST_F(FlightDeskTest, does_not_ask_twice_at_a_time) {
  take("a");
  pass(FlightDesk::kAskAgain * 3);
  EXPECT_EQ(questions_.size(), 1U);
}

// The lease may have been got already: nobody would give it back.
TEST_F(FlightDeskTest, keeps_news_that_come_while_it_asks_until_it_knows) {
  take("a");
  desk_.on_landed(kKey);
  EXPECT_THAT(turns_, IsEmpty());
  answer(Ask::kAcquire, false);
  EXPECT_THAT(turns_, ElementsAre("a: landed"));
}

TEST_F(FlightDeskTest, prefers_the_lease_to_news_that_came_while_it_asked) {
  take("a");
  desk_.on_not_stored(kKey);
  answer(Ask::kAcquire, true);
  EXPECT_THAT(turns_, ElementsAre("a: lease t1"));
}

TEST_F(FlightDeskTest, renews_a_lease_at_a_third_of_its_time) {
  hold();
  pass(kLease / 3 - milliseconds{1});
  EXPECT_TRUE(questions_.empty());
  EXPECT_EQ(*desk_.next_time(), now_ + milliseconds{1});
  pass(milliseconds{1});
  answer(Ask::kRenew, true);
  pass(kLease / 3);
  answer(Ask::kRenew, Error{ErrorCode::kUnavailable, "away"});
  pass(kLease / 3);
  answer(Ask::kRenew, false);  // lost: the store will refuse the answer
}

TEST_F(FlightDeskTest, a_written_answer_ends_the_lease_without_a_word_and_local_waits_with_it) {
  hold();
  take_and_wait("a");
  desk_.give_back(kKey, "t1", Ending::kWritten);
  EXPECT_TRUE(questions_.empty());
  EXPECT_THAT(told_, IsEmpty());
  EXPECT_THAT(turns_, ElementsAre("a: landed"));
  pass(kLease);
  EXPECT_TRUE(questions_.empty());
}

TEST_F(FlightDeskTest, says_at_once_that_no_answer_will_come) {
  hold();
  take_and_wait("a");
  desk_.give_back(kKey, "t1", Ending::kNotStored);
  answer(Ask::kRelease, true);
  EXPECT_THAT(told_, ElementsAre(std::pair(FleetMessage::Kind::kNotStored, kKey)));
  EXPECT_THAT(turns_, ElementsAre("a: alone"));
}

TEST_F(FlightDeskTest, says_where_the_answer_was_found_instead) {
  hold();
  take_and_wait("a");
  desk_.give_back(kKey, "t1", Ending::kLanded);
  answer(Ask::kRelease, true);
  EXPECT_THAT(told_, ElementsAre(std::pair(FleetMessage::Kind::kLanded, kKey)));
  EXPECT_THAT(turns_, ElementsAre("a: landed"));
}

TEST_F(FlightDeskTest, an_old_holder_does_not_speak_for_the_new_one) {
  hold();
  take_and_wait("a");
  desk_.give_back(kKey, "t1", Ending::kNotStored);
  answer(Ask::kRelease, false);
  EXPECT_THAT(told_, IsEmpty());
  EXPECT_THAT(turns_, IsEmpty());
}

TEST_F(FlightDeskTest, has_nothing_to_do_while_nobody_waits_or_holds) {
  EXPECT_FALSE(desk_.next_time().has_value());
  take_and_wait("a");
  EXPECT_EQ(*desk_.next_time(), now_ + FlightDesk::kAskAgain);
  desk_.on_landed(kKey);
  EXPECT_FALSE(desk_.next_time().has_value());
}

TEST_F(FlightDeskTest, lets_everybody_go_when_it_closes) {
  take_and_wait("a");
  take("b", kOther);
  desk_.close();
  EXPECT_THAT(turns_, ElementsAre("a: alone", "b: alone"));
  answer(Ask::kAcquire, true);  // too late: nobody asks any more
  EXPECT_EQ(turns_.size(), 2U);
}

}  // namespace
}  // namespace llm_edge_cache::redis
