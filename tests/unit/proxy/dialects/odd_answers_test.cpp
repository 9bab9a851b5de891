// Answers that no provider should send, made of those that providers do send: a dialect may refuse
// them, and must neither be surprised nor make of them what it would refuse itself.
#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "tests/support/odd_answers.hpp"
#include "tests/unit/proxy/dialects/transcripts.hpp"

namespace llm_edge_cache::proxy::odd_answers_test {
namespace {

constexpr int kAnswers = 25;

class OddAnswersTest : public ::testing::TestWithParam<test::Transcript> {
 protected:
  void expect_foreseen(AnswerForm form, const std::string& answer) {
    EXPECT_NE(dialect_.review(form, answer).refusal, StoreRefusal::kUnforeseen) << answer;
    const auto other = form == AnswerForm::kJson ? AnswerForm::kStream : AnswerForm::kJson;
    for (const bool has_options : {false, true}) {
      AnswerWish wish{.form = other, .include_usage = has_options, .without_padding = has_options};
      expect_adapted(form, answer, wish);
      wish.form = form;
      expect_adapted(form, answer, wish);
    }
  }

  const Dialect& dialect_ = test::dialect_of(GetParam());
  llm_edge_cache::test::OddAnswers odd_{std::hash<std::string>()(GetParam().name)};

 private:
  void expect_adapted(AnswerForm form, const std::string& answer, AnswerWish wish) {
    const auto adapted = dialect_.adapt(form, answer, wish);
    if (!adapted.ok()) {
      EXPECT_EQ(adapted.error().message.find("unforeseen"), std::string::npos) << answer;
    } else if (adapted->has_value() && form != wish.form) {
      EXPECT_FALSE(dialect_.review(wish.form, **adapted).refusal) << answer;
    }
  }
};

TEST_P(OddAnswersTest, no_member_in_another_place_surprises_a_dialect) {
  const auto expect_no_surprise = [&](const std::string& answer) {
    ASSERT_NE(dialect_.review(AnswerForm::kStream, answer).refusal, StoreRefusal::kUnforeseen)
        << answer;
  };
  llm_edge_cache::test::for_each_odd_member(GetParam().stream, GetParam().body, expect_no_surprise);
}

TEST_P(OddAnswersTest, no_stream_surprises_a_dialect) {
  for (int i = 0; i < kAnswers; ++i) {
    expect_foreseen(AnswerForm::kStream, odd_.change_stream(GetParam().stream));
  }
}

TEST_P(OddAnswersTest, no_body_surprises_a_dialect) {
  for (int i = 0; i < kAnswers; ++i) {
    expect_foreseen(AnswerForm::kJson, odd_.change_body(GetParam().body));
  }
}

INSTANTIATE_TEST_SUITE_P(Transcripts, OddAnswersTest, ::testing::ValuesIn(test::all_transcripts()),
                         [](const auto& at) { return at.param.endpoint + "_" + at.param.name; });

}  // namespace
}  // namespace llm_edge_cache::proxy::odd_answers_test
