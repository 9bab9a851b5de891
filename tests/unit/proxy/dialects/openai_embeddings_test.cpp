#include "proxy/dialects/openai_embeddings.hpp"

#include <gtest/gtest.h>

#include "proxy/dialects/embedding_parts.hpp"

namespace llm_edge_cache::proxy::openai_embeddings_test {
namespace {

const OpenAiEmbeddingsDialect kEmbeddings;

TEST(OpenAiEmbeddingsTest, judges_the_answer_of_any_number_of_elements) {
  const auto review = kEmbeddings.review(
      AnswerForm::kJson, write_embeddings({"[1]", "[2]"}, "e", TokenUsage{3, 0, 3}));
  EXPECT_FALSE(review.refusal);
  EXPECT_EQ(review.model, "e");
  EXPECT_EQ(review.usage, (TokenUsage{3, 0, 3}));
  EXPECT_EQ(kEmbeddings.review(AnswerForm::kJson, write_embeddings({}, "e", {})).refusal,
            StoreRefusal::kMalformed);
  EXPECT_EQ(kEmbeddings.review(AnswerForm::kStream, "data: {}\n\n").refusal,
            StoreRefusal::kMalformed);
}

TEST(OpenAiEmbeddingsTest, has_no_streams) {
  EXPECT_TRUE(kEmbeddings.read_wish(R"({"input":"a"})").ok());
  EXPECT_FALSE(kEmbeddings.read_wish(R"({"input":"a","stream":true})").ok());
  EXPECT_FALSE(kEmbeddings.adapt(AnswerForm::kJson, "{}", {})->has_value());
  EXPECT_FALSE(kEmbeddings.adapt(AnswerForm::kJson, "{}", {.form = AnswerForm::kStream}).ok());
}

}  // namespace
}  // namespace llm_edge_cache::proxy::openai_embeddings_test
