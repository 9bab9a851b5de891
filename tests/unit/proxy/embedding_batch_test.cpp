#include "proxy/embedding_batch.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "proxy/dialects/dialects.hpp"

namespace llm_edge_cache::proxy {
namespace {

class EmbeddingBatchTest : public ::testing::Test {
 protected:
  static ProxyOptions options() {
    ProxyOptions options;
    options.upstream_url = "http://a";
    options.scope_secret = "secret";
    return options;
  }

  EmbeddingBatch batch(std::string_view input, std::string_view more = "") {
    http::RequestHead head;
    head.method = "POST";
    head.target = "/v1/embeddings";
    auto read = EmbeddingBatch::read(
        keyer_, dialects_.embeddings(), head, "",
        R"({"model":"m","input":)" + std::string(input) + std::string(more) + "}");
    EXPECT_TRUE(read.ok());
    return std::move(*read);
  }

  static LookedUp entry(std::string content, std::string model = "e",
                        LookupOutcome outcome = LookupOutcome::kL1Hit) {
    auto entry = std::make_shared<Entry>();
    entry->response.content = std::move(content);
    entry->response.model = std::move(model);
    entry->response.tokens = TokenUsage{2, 0, 2};
    entry->content_type = "application/json";
    entry->expires_ms = 1'000;
    return {outcome, std::move(entry)};
  }
  static LookedUp vector(std::string_view text, std::string model = "e") {
    return entry(write_embeddings({text}, model, TokenUsage{2, 0, 2}), model);
  }
  static void offer(EmbeddingBatch& batch, EmbeddingBatch::Slot slot, const LookedUp& found) {
    batch.offer(slot, found, RequestDirectives(), 0);
  }

  const Dialects dialects_;
  const RequestKeyer keyer_{options()};
};

TEST_F(EmbeddingBatchTest, equal_elements_share_a_slot_and_a_key) {
  const auto three = batch(R"(["a","b","a"])");
  EXPECT_EQ(three.missing(), (std::vector<EmbeddingBatch::Slot>{0, 1}));
  EXPECT_NE(three.key_of(0), three.key_of(1));
  EXPECT_EQ(batch(R"("b")").key_of(0), three.key_of(1));
}

TEST_F(EmbeddingBatchTest, the_key_of_the_request_knows_order_and_repetition) {
  EXPECT_EQ(batch(R"("a")").key(), batch(R"(["a"])").key());
  EXPECT_EQ(batch(R"("a")").key(), batch(R"("a")").key_of(0));
  EXPECT_NE(batch(R"(["a","b"])").key(), batch(R"(["b","a"])").key());
  EXPECT_NE(batch(R"(["a"])").key(), batch(R"(["a","a"])").key());
}

TEST_F(EmbeddingBatchTest, text_is_never_taken_for_tokens) {
  EXPECT_NE(batch(R"("[1,2]")").key(), batch("[1,2]").key());
}

TEST_F(EmbeddingBatchTest, takes_what_is_one_embedding_and_nothing_else) {
  auto one = batch(R"("a")");
  for (const auto& found : {entry("not JSON"), entry(write_embeddings({}, "e", {})),
                            entry(write_embeddings({"[1]", "[2]"}, "e", {})), LookedUp()}) {
    offer(one, 0, found);
    EXPECT_FALSE(one.is_complete());
  }
  one.offer(0, vector("[1]"), RequestDirectives(), 1'000);  // past its life
  EXPECT_FALSE(one.is_complete());
  offer(one, 0, vector("[1]"));
  EXPECT_TRUE(one.is_complete());
}

TEST_F(EmbeddingBatchTest, what_was_found_is_served_in_the_order_of_the_request) {
  auto three = batch(R"(["a","b","a"])");
  offer(three, 0, vector("[1]"));
  offer(three, 1, vector("[2]"));
  const auto served = three.served();
  EXPECT_EQ(served.outcome, LookupOutcome::kL1Hit);
  EXPECT_EQ(served.body.view(), write_embeddings({"[1]", "[2]", "[1]"}, "e", TokenUsage{6, 0, 6}));
}

TEST_F(EmbeddingBatchTest, models_that_disagree_are_all_forgotten) {
  auto two = batch(R"(["a","b"])");
  offer(two, 0, vector("[1]", "e-1"));
  offer(two, 1, vector("[2]", "e-2"));
  two.drop_disagreement();
  EXPECT_EQ(two.missing().size(), 2U);
}

TEST_F(EmbeddingBatchTest, combines_what_was_found_with_what_was_fetched) {
  auto four = batch(R"(["a","b","c","a"])");
  offer(four, 1, vector("[2]"));
  EXPECT_FALSE(four.is_all_missing_once());
  EXPECT_EQ(four.request_for_missing(), R"({"model":"m","input":["a","c"]})");
  EXPECT_EQ(four.describe_hits(), "hits-1-of-4");
  const auto fetched =
      four.read_missing(write_embeddings({"[1]", "[3]"}, "e", TokenUsage{8, 0, 8}));
  ASSERT_TRUE(fetched);
  EXPECT_EQ(four.combine(*fetched),
            write_embeddings({"[1]", "[2]", "[3]", "[1]"}, "e", TokenUsage{14, 0, 14}));
}

TEST_F(EmbeddingBatchTest, reads_only_an_answer_to_what_was_asked) {
  auto two = batch(R"(["a","b"])");
  EXPECT_TRUE(two.is_all_missing_once());
  EXPECT_TRUE(two.read_all(write_embeddings({"[1]", "[2]"}, "e", {})));
  EXPECT_FALSE(two.read_all(write_embeddings({"[1]"}, "e", {})));
  offer(two, 0, vector("[1]"));
  EXPECT_FALSE(two.read_missing(write_embeddings({"[1]", "[2]"}, "e", {})));
  EXPECT_FALSE(two.read_missing(write_embeddings({"[2]"}, "another", {})));
  EXPECT_TRUE(two.read_missing(write_embeddings({"[2]"}, "e", {})));
}

}  // namespace
}  // namespace llm_edge_cache::proxy
