#include "replay/answer_usage.hpp"

#include <gtest/gtest.h>

#include "mock_provider/mock_chat.hpp"

namespace llm_edge_cache::app {
namespace {

TEST(AnswerUsageTest, reads_a_body) {
  EXPECT_EQ(total_tokens_of(R"({"usage":{"total_tokens":17}})"), 17U);
}

TEST(AnswerUsageTest, reads_the_event_of_a_stream_that_has_it) {
  EXPECT_EQ(total_tokens_of("data: {\"usage\":null}\n\ndata: {\"usage\":{\"total_tokens\":5}}\n\n"
                            "data: [DONE]\n\n"),
            5U);
}

TEST(AnswerUsageTest, both_forms_of_an_answer_agree) {
  constexpr auto kJson = R"({"model":"m","messages":[{"role":"user","content":"x"}]})";
  constexpr auto kStream = R"({"model":"m","messages":[{"role":"user","content":"x"}],
                              "stream":true,"stream_options":{"include_usage":true}})";
  EXPECT_GT(total_tokens_of(mock_chat(kJson).body()), 0U);
  EXPECT_EQ(total_tokens_of(mock_chat(kJson).body()), total_tokens_of(mock_chat(kStream).body()));
}

TEST(AnswerUsageTest, is_zero_where_there_is_none) {
  for (const auto* body : {"", "{}", "{", "data: x\n\n", R"({"usage":{"total_tokens":-1}})"}) {
    EXPECT_EQ(total_tokens_of(body), 0U) << body;
  }
}

}  // namespace
}  // namespace llm_edge_cache::app
