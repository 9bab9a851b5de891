#include "http/held_answers.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <vector>

namespace llm_edge_cache::http {
namespace {

class Recorder final : public HeldAnswers::Sender {
 public:
  explicit Recorder(std::vector<int>& sent, int number) : sent_(sent), number_(number) {}
  void send_held() override {
    sent_.push_back(number_);
    if (act) act();
  }

  std::function<void()> act;

 private:
  std::vector<int>& sent_;
  const int number_;
};

class HeldAnswersTest : public ::testing::Test {
 protected:
  std::shared_ptr<Recorder> sender(int number) { return std::make_shared<Recorder>(sent_, number); }

  HeldAnswers held_;
  std::vector<int> sent_;
};

TEST_F(HeldAnswersTest, nothing_is_sent_before_the_flush_and_everything_by_it_in_order) {
  ASSERT_TRUE(held_.hold(sender(1)));
  ASSERT_TRUE(held_.hold(sender(2)));
  EXPECT_TRUE(sent_.empty());
  held_.flush();
  EXPECT_EQ(sent_, (std::vector{1, 2}));
  held_.flush();
  EXPECT_EQ(sent_.size(), 2U);
}

TEST_F(HeldAnswersTest, one_more_than_there_are_places_sends_those_before_it) {
  for (std::size_t i = 0; i < HeldAnswers::kMaxAnswers; ++i) ASSERT_TRUE(held_.hold(sender(1)));
  EXPECT_TRUE(sent_.empty());
  ASSERT_TRUE(held_.hold(sender(2)));
  EXPECT_EQ(sent_, std::vector<int>(HeldAnswers::kMaxAnswers, 1));
  held_.flush();
  EXPECT_EQ(sent_.back(), 2);
}

TEST_F(HeldAnswersTest, whoever_sends_cannot_hold) {
  const auto once = sender(1);
  once->act = [this] { EXPECT_FALSE(held_.hold(sender(2))); };
  ASSERT_TRUE(held_.hold(once));
  held_.flush();
  EXPECT_EQ(sent_, std::vector{1});
  EXPECT_TRUE(held_.hold(sender(3))) << "the flush has ended";
}

TEST_F(HeldAnswersTest, a_sender_is_kept_until_it_has_sent_and_no_longer) {
  auto kept = sender(1);
  const std::weak_ptr<Recorder> watch = kept;
  ASSERT_TRUE(held_.hold(std::move(kept)));
  EXPECT_FALSE(watch.expired());
  held_.flush();
  EXPECT_TRUE(watch.expired());
}

}  // namespace
}  // namespace llm_edge_cache::http
