// Embeddings among processes that share a store: whose turn it is, and for what.
#include "proxy/fleet_turns.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "embedding_fixture.hpp"
#include "held_fleet.hpp"

namespace llm_edge_cache::proxy::test {
namespace {

using Kind = FlightTurn::Kind;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

struct EmbeddingFleet {
  HeldFleet fleet_;
};

class EmbeddingFleetTest : public EmbeddingFleet, public EmbeddingTest {
 protected:
  EmbeddingFleetTest() : EmbeddingTest({.proxy = {}, .has_l2 = true, .fleet = &fleet_}) {
    fleet_.tier = l2_;
  }

  PendingAnswer start_embedding(const json& input, const http::Headers& headers = {}) {
    auto head = http::request_head("POST", "/v1/embeddings");
    head.headers = headers;
    return start(std::move(head), json{{"model", "e"}, {"input", input}}.dump());
  }
  // To the nth who asked, and the first who has none yet.
  void give(Kind kind, int nth) {
    ASSERT_TRUE(eventually([&] { return fleet_.asked == nth; }));
    fleet_.give(kind);
  }
  // What another process has asked for, and stored, since this one looked.
  void store_as_another(const json& input, int nth) {
    auto other = start_embedding(input, {{"x-llm-cache-ttl", "1000"}});
    ASSERT_TRUE(eventually([&] { return fleet_.asked == nth; }));
    fleet_.give_to_last(Kind::kAlone);
    EXPECT_EQ(other.wait().status(), 200);
    ASSERT_TRUE(eventually([&] { return metrics().flights_active == 0; }));
  }
  [[nodiscard]] bool is_given_back(int times) {
    return eventually([&] { return fleet_.given_back == times; });
  }
};

TEST_F(EmbeddingFleetTest, one_element_is_written_under_its_lease_as_any_answer) {
  auto pending = start_embedding("a");
  give(Kind::kLease, 1);
  EXPECT_EQ(pending.wait().status(), 200);
  EXPECT_TRUE(is_given_back(1));
  EXPECT_EQ(fleet_.written, 1);
  EXPECT_EQ(fleet_.landed, 0);
}

TEST_F(EmbeddingFleetTest, nobody_asks_the_provider_before_its_turn) {
  auto pending = start_embedding({"a", "b"});
  ASSERT_TRUE(eventually([&] { return fleet_.asked == 1; }));
  EXPECT_EQ(upstream_.calls(), 0);
  fleet_.give(Kind::kAlone);
  EXPECT_EQ(pending.wait().status(), 200);
  EXPECT_EQ(upstream_.calls(), 1);
}

TEST_F(EmbeddingFleetTest, a_batch_takes_one_turn_and_says_that_it_landed_when_all_is_written) {
  auto pending = start_embedding({"a", "b", "c"});
  give(Kind::kLease, 1);
  EXPECT_EQ(vectors_of(pending.wait()), expected({"a", "b", "c"}));
  EXPECT_TRUE(is_given_back(1));
  EXPECT_EQ(fleet_.asked, 1);
  EXPECT_EQ(fleet_.landed, 1);
  EXPECT_EQ(fleet_.written, 0);  // no element is the batch's key
}

TEST_F(EmbeddingFleetTest, whoever_waited_puts_its_answer_together_from_the_store) {
  auto waiting = start_embedding({"b", "a"});
  ASSERT_TRUE(eventually([&] { return fleet_.asked == 1; }));
  store_as_another({"a", "b"}, 2);
  fleet_.give(Kind::kLanded);
  const auto answer = waiting.wait();
  EXPECT_EQ(vectors_of(answer), expected({"b", "a"}));
  EXPECT_TRUE(answer.is_hit());
  EXPECT_EQ(asked(), (std::vector<json>{{"a", "b"}}));
}

TEST_F(EmbeddingFleetTest, whoever_gets_the_lease_late_looks_once_more_and_says_what_it_found) {
  auto waiting = start_embedding({"b", "a"});
  ASSERT_TRUE(eventually([&] { return fleet_.asked == 1; }));
  store_as_another({"a", "b"}, 2);
  fleet_.give(Kind::kLease);
  EXPECT_TRUE(waiting.wait().is_hit());
  EXPECT_TRUE(is_given_back(1));
  EXPECT_EQ(fleet_.landed, 1);
  EXPECT_EQ(upstream_.calls(), 1);
}

TEST_F(EmbeddingFleetTest, what_did_not_land_is_asked_for_and_nothing_else) {
  auto waiting = start_embedding({"a", "c"});
  ASSERT_TRUE(eventually([&] { return fleet_.asked == 1; }));
  store_as_another({"a", "b"}, 2);
  fleet_.give(Kind::kLanded);
  give(Kind::kLease, 3);
  const auto answer = waiting.wait();
  EXPECT_EQ(vectors_of(answer), expected({"a", "c"}));
  EXPECT_THAT(answer.cache_status(), HasSubstr("detail=hits-1-of-2"));
  EXPECT_EQ(asked(), (std::vector<json>{{"a", "b"}, {"c"}}));
}

TEST_F(EmbeddingFleetTest, an_answer_that_never_lands_is_asked_for_after_some_turns) {
  auto pending = start_embedding({"a", "b"});
  for (int turn = 1; turn <= FleetTurns::kMaxTurns; ++turn) give(Kind::kLanded, turn);
  EXPECT_EQ(pending.wait().status(), 200);
  EXPECT_EQ(fleet_.asked, FleetTurns::kMaxTurns);
  EXPECT_EQ(upstream_.calls(), 1);
}

TEST_F(EmbeddingFleetTest, a_failed_call_gives_the_lease_back_and_nothing_landed) {
  upstream_.answer_with([](const UpstreamExchange& exchange) { exchange.respond_json("{}", 400); });
  auto pending = start_embedding({"a", "b"});
  give(Kind::kLease, 1);
  EXPECT_EQ(pending.wait().status(), 400);
  EXPECT_TRUE(is_given_back(1));
  EXPECT_EQ(fleet_.landed, 0);
}

TEST_F(EmbeddingFleetTest, an_error_gives_the_lease_back_before_it_has_ended) {
  upstream_.answer_with({});
  auto pending = start_embedding({"a", "b"});
  give(Kind::kLease, 1);
  const auto exchange = upstream_.next();
  exchange.start({{"Content-Type", "application/json"}}, 400);
  exchange.write("{");
  EXPECT_TRUE(is_given_back(1));
  exchange.write("}");
  exchange.finish();
  EXPECT_EQ(pending.wait().status(), 400);
}

TEST_F(EmbeddingFleetTest, an_answer_that_is_not_what_was_asked_for_lands_nowhere) {
  upstream_.answer_with(
      [](const UpstreamExchange& exchange) { exchange.respond_json(R"({"data":[]})"); });
  auto pending = start_embedding({"a", "b"});
  give(Kind::kLease, 1);
  EXPECT_EQ(pending.wait().body(), R"({"data":[]})");
  EXPECT_TRUE(is_given_back(1));
  EXPECT_EQ(fleet_.landed, 0);
}

TEST_F(EmbeddingFleetTest, a_provider_that_breaks_off_gives_the_lease_back) {
  upstream_.answer_with({});
  auto pending = start_embedding({"a", "b"});
  give(Kind::kLease, 1);
  const auto exchange = upstream_.next();
  exchange.start({{"Content-Type", "application/json"}, {"Content-Length", "500"}});
  exchange.write("{");
  exchange.abort();
  EXPECT_EQ(pending.wait().status(), 502);
  EXPECT_TRUE(is_given_back(1));
  EXPECT_EQ(fleet_.landed, 0);
}

TEST_F(EmbeddingFleetTest, requests_that_share_nothing_take_no_turn) {
  EXPECT_EQ(start_embedding("a", {{"Cache-Control", "no-store"}}).wait().status(), 200);
  EXPECT_EQ(start_embedding("a", {{"Cache-Control", "no-cache"}}).wait().status(), 200);
  EXPECT_EQ(fleet_.asked, 0);
}

}  // namespace
}  // namespace llm_edge_cache::proxy::test
