#include "http/held_answers.hpp"

#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <string>
#include <vector>

namespace llm_edge_cache::http {
namespace {

class Recorder final : public HeldAnswers::Sender {
 public:
  void send_held(std::string_view bytes) override {
    sent.emplace_back(bytes);
    if (act) act();
  }

  std::vector<std::string> sent;
  std::function<void()> act;
};

bool hold(HeldAnswers& held, const std::shared_ptr<Recorder>& sender, std::string_view head,
          std::string_view body = "") {
  const std::array<std::string_view, 2> pieces{head, body};
  return held.hold(sender, pieces);
}

TEST(HeldAnswersTest, nothing_is_sent_before_the_flush_and_everything_by_it) {
  HeldAnswers held;
  const auto first = std::make_shared<Recorder>();
  const auto second = std::make_shared<Recorder>();
  std::string head = "head ";
  ASSERT_TRUE(hold(held, first, head, "body"));
  head = "gone";
  ASSERT_TRUE(hold(held, second, "other"));
  EXPECT_TRUE(first->sent.empty());
  held.flush();
  EXPECT_EQ(first->sent, std::vector<std::string>{"head body"});
  EXPECT_EQ(second->sent, std::vector<std::string>{"other"});
  held.flush();
  EXPECT_EQ(first->sent.size(), 1U);
}

TEST(HeldAnswersTest, an_answer_that_is_too_long_is_not_held) {
  HeldAnswers held;
  const auto sender = std::make_shared<Recorder>();
  const std::string longest(HeldAnswers::kMaxAnswerBytes, 'x');
  EXPECT_FALSE(hold(held, sender, longest, "y"));
  EXPECT_TRUE(hold(held, sender, longest));
  held.flush();
  EXPECT_EQ(sender->sent, std::vector<std::string>{longest});
}

TEST(HeldAnswersTest, as_many_of_the_longest_as_there_are_places_keep_their_bytes) {
  HeldAnswers held;
  const auto sender = std::make_shared<Recorder>();
  std::vector<std::string> answers;
  for (std::size_t i = 0; i < HeldAnswers::kMaxAnswers; ++i) {
    answers.emplace_back(HeldAnswers::kMaxAnswerBytes, static_cast<char>('a' + i));
    ASSERT_TRUE(hold(held, sender, answers.back()));
  }
  held.flush();
  EXPECT_EQ(sender->sent, answers);
}

TEST(HeldAnswersTest, one_more_than_there_are_places_sends_those_before_it) {
  HeldAnswers held;
  const auto sender = std::make_shared<Recorder>();
  for (std::size_t i = 0; i < HeldAnswers::kMaxAnswers; ++i) ASSERT_TRUE(hold(held, sender, "a"));
  EXPECT_TRUE(sender->sent.empty());
  ASSERT_TRUE(hold(held, sender, "b"));
  EXPECT_EQ(sender->sent.size(), HeldAnswers::kMaxAnswers);
  held.flush();
  EXPECT_EQ(sender->sent.back(), "b");
}

TEST(HeldAnswersTest, whoever_sends_cannot_hold) {
  HeldAnswers held;
  const auto sender = std::make_shared<Recorder>();
  sender->act = [&] { EXPECT_FALSE(hold(held, sender, "again")); };
  ASSERT_TRUE(hold(held, sender, "once"));
  held.flush();
  EXPECT_EQ(sender->sent.size(), 1U);
}

TEST(HeldAnswersTest, a_sender_is_kept_until_it_has_sent_and_no_longer) {
  HeldAnswers held;
  auto sender = std::make_shared<Recorder>();
  const std::weak_ptr<Recorder> watch = sender;
  ASSERT_TRUE(hold(held, sender, "a"));
  sender.reset();
  EXPECT_FALSE(watch.expired());
  held.flush();
  EXPECT_TRUE(watch.expired());
}

}  // namespace
}  // namespace llm_edge_cache::http
