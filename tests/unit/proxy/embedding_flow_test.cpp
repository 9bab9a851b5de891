#include "proxy/embedding_flow.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "embedding_fixture.hpp"

namespace llm_edge_cache::proxy::test {
namespace {

class EmbeddingFlowTest : public EmbeddingTest {};

TEST_F(EmbeddingFlowTest, the_second_answer_is_a_hit) {
  const auto first = embed({"a", "bb"});
  const auto second = embed({"a", "bb"});
  EXPECT_EQ(first.status(), 200);
  EXPECT_EQ(first.cache_status(), "llm-edge-cache; fwd=miss; stored");
  EXPECT_EQ(second.cache_status(), "llm-edge-cache; hit; ttl=3600; detail=l1");
  EXPECT_EQ(second.header("content-type"), "application/json");
  EXPECT_EQ(json::parse(second.body()), json::parse(first.body()));
  EXPECT_EQ(second.header("x-llm-cache-key"), first.header("x-llm-cache-key"));
  EXPECT_EQ(upstream_.calls(), 1);
}

TEST_F(EmbeddingFlowTest, the_first_answer_is_the_providers_own_bytes) {
  upstream_.answer_with([](const UpstreamExchange& exchange) {
    exchange.respond_json(
        R"({ "object":"list", "data":[{"object":"embedding","index":0,"embedding":[0.50]}],)"
        R"( "model":"e-1", "usage":{"prompt_tokens":1,"total_tokens":1}})");
  });
  EXPECT_TRUE(embed("a").body().starts_with("{ \"object\""));
  EXPECT_NE(embed("a").body().find("[0.50]"), std::string::npos);
}

TEST_F(EmbeddingFlowTest, only_what_is_missing_goes_up_and_all_comes_back_in_order) {
  embed({"a", "c"});
  const auto answer = embed({"d", "c", "b", "a", "b"});
  EXPECT_EQ(answer.status(), 200);
  EXPECT_EQ(answer.cache_status(), "llm-edge-cache; fwd=miss; stored; detail=hits-2-of-5");
  EXPECT_EQ(asked().back(), json::array({"d", "b"}));
  EXPECT_EQ(vectors_of(answer), expected({"d", "c", "b", "a", "b"}));
  EXPECT_EQ(answer.header("content-length"), std::to_string(answer.body().size()));
  EXPECT_TRUE(embed({"b", "d"}).is_hit());
  EXPECT_EQ(upstream_.calls(), 2);
}

TEST_F(EmbeddingFlowTest, usage_is_the_sum_over_the_elements) {
  embed(json::array({json::array({1, 2, 3}), json::array({4})}));
  const auto answer = embed(json::array({json::array({5, 6}), json::array({1, 2, 3})}));
  EXPECT_EQ(json::parse(answer.body())["usage"], json({{"prompt_tokens", 5}, {"total_tokens", 5}}));
  const auto hit = embed(json::array({json::array({4}), json::array({5, 6})}));
  EXPECT_EQ(json::parse(hit.body())["usage"], json({{"prompt_tokens", 3}, {"total_tokens", 3}}));
  EXPECT_EQ(metrics().tokens_saved_by_model.at("e-1"), 6U);
}

TEST_F(EmbeddingFlowTest, an_element_alone_and_in_a_list_are_one) {
  embed("a");
  EXPECT_TRUE(embed(json::array({"a"})).is_hit());
  embed(json::array({1, 2}));
  EXPECT_TRUE(embed(json::array({json::array({1, 2})})).is_hit());
  EXPECT_EQ(asked(), (std::vector<json>{"a", json::array({1, 2})}));
}

TEST_F(EmbeddingFlowTest, an_element_that_is_asked_for_twice_goes_up_once) {
  const auto answer = embed({"a", "b", "a"});
  EXPECT_EQ(asked().back(), json::array({"a", "b"}));
  EXPECT_EQ(vectors_of(answer), expected({"a", "b", "a"}));
}

TEST_F(EmbeddingFlowTest, dimensions_and_encoding_matter_and_the_user_does_not) {
  embed("a");
  EXPECT_TRUE(embed("a", {}, {{"user", "u"}}).is_hit());
  EXPECT_TRUE(embed("a", {}, {{"encoding_format", "float"}}).is_hit());
  EXPECT_FALSE(embed("a", {}, {{"encoding_format", "base64"}}).is_hit());
  EXPECT_FALSE(embed("a", {}, {{"dimensions", 2}}).is_hit());
  EXPECT_FALSE(embed("a", {}, {{"novelty", 1}}).is_hit());
}

TEST_F(EmbeddingFlowTest, one_credential_never_gets_what_another_stored) {
  embed("a", {{"Authorization", "Bearer a"}});
  EXPECT_FALSE(embed("a", {{"Authorization", "Bearer b"}}).is_hit());
  EXPECT_TRUE(embed("a", {{"Authorization", "Bearer a"}}).is_hit());
}

TEST_F(EmbeddingFlowTest, elements_expire_each_for_itself) {
  embed("a", {{"x-llm-cache-ttl", "10"}});
  clock_->advance_ms(5'000);
  embed("b");
  const auto hit = embed({"a", "b"});
  EXPECT_EQ(hit.cache_status(), "llm-edge-cache; hit; ttl=5; detail=l1");
  EXPECT_EQ(hit.header("age"), "5");
  clock_->advance_ms(5'000);
  EXPECT_EQ(embed({"a", "b"}).cache_status(),
            "llm-edge-cache; fwd=miss; stored; detail=hits-1-of-2");
}

TEST_F(EmbeddingFlowTest, directives_are_obeyed) {
  EXPECT_EQ(embed("a", {{"Cache-Control", "only-if-cached"}}).status(), 504);
  embed("a", {{"Cache-Control", "no-store"}});
  EXPECT_FALSE(embed("a").is_hit());
  EXPECT_TRUE(embed("a", {{"Cache-Control", "only-if-cached"}}).is_hit());
  EXPECT_EQ(embed({"a", "b"}, {{"Cache-Control", "only-if-cached"}}).status(), 504);
  EXPECT_EQ(embed("a", {{"Cache-Control", "no-cache"}}).cache_status(),
            "llm-edge-cache; fwd=request; stored");
  clock_->advance_ms(2'000);
  EXPECT_FALSE(embed("a", {{"Cache-Control", "max-age=1"}}).is_hit());
  EXPECT_EQ(embed("a", {{"x-llm-cache-ttl", "soon"}}).status(), 400);
}

TEST_F(EmbeddingFlowTest, what_has_no_elements_passes_through) {
  upstream_.answer_with([](const UpstreamExchange& exchange) { exchange.respond_json("{}", 400); });
  for (const json& input : {json::array(), json(), json(7), json::array({json::object()})}) {
    const auto answer = embed(input);
    EXPECT_EQ(answer.status(), 400);
    EXPECT_EQ(answer.cache_status(), "llm-edge-cache; fwd=bypass; fwd-status=400");
  }
}

TEST_F(EmbeddingFlowTest, equal_requests_share_a_call) {
  upstream_.answer_with({});
  auto head = http::request_head("POST", "/v1/embeddings");
  const std::string body = R"({"model":"e","input":["a","b"]})";
  auto first = start(head, body);
  const auto call = upstream_.next();
  auto second = start(head, body);
  ASSERT_TRUE(eventually([&] { return metrics().flights_active == 1; }));
  // Whichever it turns out to be, one call answers both.
  call.respond_json(embeddings_for(json::parse(body)).dump());
  EXPECT_EQ(json::parse(first.wait().body()), json::parse(second.wait().body()));
  EXPECT_EQ(upstream_.calls(), 1);
}

// Of more bytes than a connection may queue.
class LargeEmbeddingsTest : public EmbeddingFlowTest {
 protected:
  static constexpr int kElements = 700;
  static constexpr std::size_t kVectorBytes = 24'000;

  LargeEmbeddingsTest() { upstream_.answer_with({}); }

  static json elements(int first) {
    auto input = json::array();
    for (int i = first; i < kElements; ++i) input.push_back("element " + std::to_string(i));
    return input;
  }
  static std::string answer_to(const json& input) {
    auto data = json::array();
    for (const auto& element : input) {
      const auto letter = static_cast<char>('A' + element.get<std::string>().back() % 26);
      data.push_back({{"object", "embedding"},
                      {"index", data.size()},
                      {"embedding", std::string(kVectorBytes, letter)}});
    }
    return json{{"object", "list"},
                {"data", data},
                {"model", "e-1"},
                {"usage", {{"prompt_tokens", 700}, {"total_tokens", 700}}}}
        .dump();
  }
  PendingAnswer begin(const json& input, const http::Headers& headers = {}) {
    auto head = http::request_head("POST", "/v1/embeddings");
    head.headers = headers;
    return start(std::move(head),
                 json{{"model", "e"}, {"encoding_format", "base64"}, {"input", input}}.dump());
  }
  // By a client that takes its time.
  Answer read_slowly(PendingAnswer pending) {
    pending.stop_reading();
    const auto call = upstream_.next();
    call.respond_json(answer_to(json::parse(call.body())["input"]));
    pending.read_on();
    return pending.wait();
  }
};

TEST_F(LargeEmbeddingsTest, a_miss_reaches_a_slow_reader_whole) {
  const auto answer = read_slowly(begin(elements(0)));
  EXPECT_TRUE(answer.is_whole());
  EXPECT_TRUE(answer.body() == answer_to(elements(0)));
}

TEST_F(LargeEmbeddingsTest, an_answer_that_is_not_stored_does_too) {
  const auto answer = read_slowly(begin(elements(0), {{"Cache-Control", "no-store"}}));
  EXPECT_TRUE(answer.is_whole());
  EXPECT_TRUE(answer.body() == answer_to(elements(0)));
}

TEST_F(LargeEmbeddingsTest, one_that_is_put_together_does_too) {
  read_slowly(begin(elements(kElements - 3)));
  const auto answer = read_slowly(begin(elements(0)));
  EXPECT_TRUE(answer.is_whole());
  EXPECT_TRUE(json::parse(answer.body())["data"] == json::parse(answer_to(elements(0)))["data"]);
}

}  // namespace
}  // namespace llm_edge_cache::proxy::test
