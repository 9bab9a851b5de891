#include "proxy/embedding_fetch.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "embedding_fixture.hpp"

namespace llm_edge_cache::proxy::test {
namespace {

class EmbeddingFetchTest : public EmbeddingTest {};

class EmbeddingFetchL2Test : public EmbeddingTest {
 protected:
  EmbeddingFetchL2Test() : EmbeddingTest({.proxy = {}, .has_l2 = true}) {}
};

TEST_F(EmbeddingFetchTest, errors_pass_as_they_are_and_are_not_stored) {
  embed("a");
  upstream_.answer_with(
      [](const UpstreamExchange& exchange) { exchange.respond_json(R"({"error":1})", 429); });
  for (int i = 0; i < 2; ++i) {
    const auto answer = embed({"a", "b"});
    EXPECT_EQ(answer.status(), 429);
    EXPECT_EQ(answer.body(), R"({"error":1})");
  }
  EXPECT_EQ(refusals(StoreRefusal::kStatus), 2U);
}

TEST_F(EmbeddingFetchTest, a_wrong_count_for_everything_passes_and_is_not_stored) {
  auto wrong = embeddings_for({{"input", {"a"}}}).dump();
  upstream_.answer_with(
      [wrong](const UpstreamExchange& exchange) { exchange.respond_json(wrong); });
  for (int i = 0; i < 2; ++i) {
    const auto answer = embed({"a", "b"});
    EXPECT_EQ(answer.body(), wrong);
    EXPECT_EQ(answer.cache_status(), "llm-edge-cache; fwd=miss");
  }
  EXPECT_EQ(upstream_.calls(), 2);
  EXPECT_EQ(refusals(StoreRefusal::kMalformed), 2U);
}

TEST_F(EmbeddingFetchTest, a_wrong_count_for_a_part_makes_it_ask_for_everything) {
  embed("a");
  std::vector<json> inputs;
  upstream_.answer_with([&inputs](const UpstreamExchange& exchange) {
    const auto request = json::parse(exchange.body());
    inputs.push_back(request["input"]);
    auto answer = embeddings_for(request);
    if (inputs.size() == 1) {
      answer["data"].erase(0);
    }
    exchange.respond_json(answer.dump());
  });
  const auto answer = embed({"a", "b", "c"});
  EXPECT_EQ(inputs, (std::vector<json>{{"b", "c"}, {"a", "b", "c"}}));
  EXPECT_EQ(vectors_of(answer), expected({"a", "b", "c"}));
  EXPECT_TRUE(embed({"c", "b"}).is_hit());
}

TEST_F(EmbeddingFetchTest, vectors_of_two_models_never_meet) {
  embed("a");
  upstream_.answer_with([](const UpstreamExchange& exchange) {
    auto answer = embeddings_for(json::parse(exchange.body()));
    answer["model"] = "e-2";
    exchange.respond_json(answer.dump());
  });
  const auto answer = embed({"a", "b"});
  EXPECT_EQ(json::parse(answer.body())["model"], "e-2");
  EXPECT_EQ(vectors_of(answer).size(), 2U);
  EXPECT_EQ(upstream_.calls(), 3);
  EXPECT_TRUE(embed({"b", "a"}).is_hit());
}

TEST_F(EmbeddingFetchTest, an_answer_that_breaks_off_is_an_error) {
  upstream_.answer_with([](const UpstreamExchange& exchange) {
    exchange.start({{"Content-Type", "application/json"}, {"Content-Length", "1000"}});
    exchange.write("{\"object\"");
    exchange.abort();
  });
  const auto answer = embed({"a", "b"});
  EXPECT_EQ(answer.status(), 502);
  EXPECT_EQ(json::parse(answer.body())["error"]["code"], "upstream_truncated");
}

TEST_F(EmbeddingFetchL2Test, the_shared_store_fills_what_memory_lacks) {
  embed({"a", "b"});
  l1_->erase_all();
  const auto hit = embed({"b", "a"});
  EXPECT_EQ(hit.cache_status(), "llm-edge-cache; hit; ttl=3600; detail=l2");
  EXPECT_EQ(vectors_of(hit), expected({"b", "a"}));
  EXPECT_EQ(upstream_.calls(), 1);
}

TEST_F(EmbeddingFetchL2Test, a_part_from_the_shared_store_and_a_part_from_the_provider) {
  embed({"a", "b"});
  l1_->erase_all();
  const auto answer = embed({"c", "b", "a"});
  EXPECT_EQ(answer.cache_status(), "llm-edge-cache; fwd=miss; stored; detail=hits-2-of-3");
  EXPECT_EQ(asked().back(), json::array({"c"}));
  EXPECT_EQ(vectors_of(answer), expected({"c", "b", "a"}));
}

TEST_F(EmbeddingFetchL2Test, only_if_cached_asks_the_shared_store) {
  embed("a");
  l1_->erase_all();
  EXPECT_TRUE(embed("a", {{"Cache-Control", "only-if-cached"}}).is_hit());
}

TEST_F(EmbeddingFetchL2Test, what_grows_too_old_while_the_rest_is_looked_up_is_asked_for_anew) {
  embed("b");
  l1_->erase_all();
  embed("a", {{"x-llm-cache-ttl", "10"}});
  l2_->close_gate();
  const auto gets_before = l2_->gets();
  auto pending = start(http::request_head("POST", "/v1/embeddings"),
                       json({{"model", "e"}, {"input", {"a", "b"}}}).dump());
  ASSERT_TRUE(eventually([&] { return l2_->gets() > gets_before; }));
  clock_->advance_ms(10'000);
  l2_->open_gate();
  const auto answer = pending.wait();
  EXPECT_EQ(answer.cache_status(), "llm-edge-cache; fwd=miss; stored; detail=hits-1-of-2");
  EXPECT_EQ(asked().back(), json::array({"a"}));
  EXPECT_EQ(vectors_of(answer), expected({"a", "b"}));
}

TEST_F(EmbeddingFetchL2Test, only_if_cached_gives_nothing_that_has_grown_too_old) {
  embed("b");
  l1_->erase_all();
  embed("a", {{"x-llm-cache-ttl", "10"}});
  l2_->close_gate();
  const auto gets_before = l2_->gets();
  auto head = http::request_head("POST", "/v1/embeddings");
  head.headers.add("Cache-Control", "only-if-cached");
  auto pending = start(head, json({{"model", "e"}, {"input", {"a", "b"}}}).dump());
  ASSERT_TRUE(eventually([&] { return l2_->gets() > gets_before; }));
  clock_->advance_ms(10'000);
  l2_->open_gate();
  EXPECT_EQ(pending.wait().status(), 504);
}

TEST_F(EmbeddingFetchTest, a_success_that_is_no_json_passes_and_is_not_stored) {
  upstream_.answer_with([](const UpstreamExchange& exchange) {
    exchange.respond("hello", {{"Content-Type", "text/plain"}});
  });
  EXPECT_EQ(embed({"a", "b"}).body(), "hello");
  EXPECT_EQ(refusals(StoreRefusal::kContentType), 1U);
}

TEST_F(EmbeddingFetchTest, no_json_for_a_part_makes_it_ask_for_everything) {
  embed("a");
  std::vector<json> inputs;
  upstream_.answer_with([&inputs](const UpstreamExchange& exchange) {
    inputs.push_back(json::parse(exchange.body())["input"]);
    exchange.respond("hello", {{"Content-Type", "text/plain"}});
  });
  EXPECT_EQ(embed({"a", "b"}).body(), "hello");
  EXPECT_EQ(inputs, (std::vector<json>{json::array({"b"}), json::array({"a", "b"})}));
}

class TricklingEmbeddingsTest : public EmbeddingTest {
 protected:
  TricklingEmbeddingsTest() : EmbeddingTest(impatient()) {}
};

TEST_F(TricklingEmbeddingsTest, a_call_that_never_ends_is_given_up_when_nobody_waits_any_more) {
  upstream_.answer_with({});
  auto pending =
      start(http::request_head("POST", "/v1/embeddings"), R"({"model":"e","input":"a"})");
  const auto call = upstream_.next();
  call.start({{"Content-Type", "application/json"}});
  pending.hang_up();
  EXPECT_TRUE(eventually([&] {
    call.write(" ");
    return metrics().flights_active == 0;
  }));
}

}  // namespace
}  // namespace llm_edge_cache::proxy::test
