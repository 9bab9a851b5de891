#include "proxy/adapted_answers.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace llm_edge_cache::proxy {
namespace {

constexpr AnswerWish kJsonWish{AnswerForm::kJson, false};
constexpr AnswerWish kStreamWish{AnswerForm::kStream, false};

EntryPtr make_entry() {
  return std::make_shared<Entry>();
}

AdaptedAnswers::Adapted adapted_as(std::string text) {
  return {http::SharedBytes(std::move(text))};
}

TEST(AdaptedAnswersTest, finds_what_was_made_of_an_entry) {
  AdaptedAnswers answers;
  const auto entry = make_entry();
  answers.insert(entry, kJsonWish, adapted_as("json"));
  const auto found = answers.find(entry, kJsonWish);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->body->view(), "json");
}

TEST(AdaptedAnswersTest, remembers_that_the_recorded_bytes_do) {
  AdaptedAnswers answers;
  const auto entry = make_entry();
  answers.insert(entry, kStreamWish, {});
  const auto found = answers.find(entry, kStreamWish);
  ASSERT_TRUE(found);
  EXPECT_FALSE(found->body);
}

TEST(AdaptedAnswersTest, tells_wishes_apart) {
  AdaptedAnswers answers;
  const auto entry = make_entry();
  answers.insert(entry, kJsonWish, adapted_as("json"));
  EXPECT_FALSE(answers.find(entry, kStreamWish));
  EXPECT_FALSE(answers.find(entry, {AnswerForm::kStream, true}));
}

TEST(AdaptedAnswersTest, knows_the_object_and_not_what_it_says) {
  AdaptedAnswers answers;
  const auto entry = make_entry();
  answers.insert(entry, kJsonWish, adapted_as("json"));
  const auto twin = std::make_shared<Entry>(*entry);
  EXPECT_FALSE(answers.find(twin, kJsonWish));
}

TEST(AdaptedAnswersTest, never_answers_for_an_entry_that_took_a_dead_ones_place) {
  AdaptedAnswers answers;
  for (int i = 0; i < 10'000; ++i) {
    const auto entry = make_entry();  // often at the address of the one before
    ASSERT_FALSE(answers.find(entry, kJsonWish));
    answers.insert(entry, kJsonWish, adapted_as("json"));
  }
}

TEST(AdaptedAnswersTest, does_not_keep_an_entry_alive) {
  AdaptedAnswers answers;
  auto entry = make_entry();
  const std::weak_ptr<const Entry> watched = entry;
  answers.insert(entry, kJsonWish, adapted_as("json"));
  entry.reset();
  EXPECT_TRUE(watched.expired());
}

TEST(AdaptedAnswersTest, keeps_no_answer_over_its_bound) {
  AdaptedAnswers answers;
  const auto entry = make_entry();
  answers.insert(entry, kJsonWish, adapted_as(std::string(AdaptedAnswers::kMaxBytes + 1, 'x')));
  EXPECT_FALSE(answers.find(entry, kJsonWish));
  answers.insert(entry, kJsonWish, adapted_as(std::string(AdaptedAnswers::kMaxBytes, 'x')));
  EXPECT_TRUE(answers.find(entry, kJsonWish));
}

}  // namespace
}  // namespace llm_edge_cache::proxy
