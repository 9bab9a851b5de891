// A proxy among others: whose turn it is to ask the provider.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "held_fleet.hpp"
#include "proxy_fixture.hpp"

namespace llm_edge_cache::proxy::test {
namespace {

using Kind = FlightTurn::Kind;

class FleetFlowTest : public HasFleet, public ProxyTest {
 protected:
  FleetFlowTest() : ProxyTest({.proxy = {}, .has_l2 = true, .fleet = &fleet_}) {
    fleet_.tier = l2_;
  }
  // To the nth who asked, and the first who has none yet.
  void give(Kind kind, int nth = 1) {
    ASSERT_TRUE(eventually([&] { return fleet_.asked == nth; }));
    fleet_.give(kind);
  }
  // Two flights for one answer, in different forms; the first has stored it.
  PendingAnswer second_of_two() {
    answer_json();
    auto first = start_chat(kQuestion);
    EXPECT_TRUE(eventually([&] { return fleet_.asked == 1; }));
    auto second = start_chat(kStreamQuestion);
    EXPECT_TRUE(eventually([&] { return fleet_.asked == 2; }));
    fleet_.give(Kind::kLease);
    EXPECT_EQ(first.wait().status(), 200);
    EXPECT_TRUE(eventually([&] { return fleet_.given_back == 1; }));
    return second;
  }
};

TEST_F(FleetFlowTest, whoever_has_the_lease_asks_and_writes_under_it) {
  answer_json();
  auto pending = start_chat(kQuestion);
  give(Kind::kLease);
  EXPECT_EQ(pending.wait().body(), kHelloBody);
  EXPECT_EQ(upstream_.calls(), 1);
  EXPECT_EQ(fleet_.written, 1);
  EXPECT_TRUE(eventually([&] { return fleet_.given_back == 1; }));
}

TEST_F(FleetFlowTest, nobody_asks_the_provider_before_its_turn) {
  answer_json();
  auto pending = start_chat(kQuestion);
  ASSERT_TRUE(eventually([&] { return fleet_.asked == 1; }));
  EXPECT_EQ(upstream_.calls(), 0);
  fleet_.give(Kind::kAlone);
  EXPECT_EQ(pending.wait().status(), 200);
  EXPECT_EQ(upstream_.calls(), 1);
  EXPECT_EQ(fleet_.written, 0);
}

TEST_F(FleetFlowTest, many_clients_of_one_proxy_take_one_turn) {
  answer_json();
  std::vector<PendingAnswer> pending;
  for (int i = 0; i < 8; ++i) pending.push_back(start_chat(kQuestion));
  give(Kind::kLease);
  for (auto& answer : pending) EXPECT_EQ(answer.wait().body(), kHelloBody);
  EXPECT_EQ(fleet_.asked, 1);
  EXPECT_EQ(upstream_.calls(), 1);
}

TEST_F(FleetFlowTest, an_answer_that_does_not_land_after_all_is_asked_for_after_some_turns) {
  answer_json();
  auto pending = start_chat(kQuestion);
  for (int turn = 1; turn <= 3; ++turn) give(Kind::kLanded, turn);
  EXPECT_EQ(pending.wait().status(), 200);
  EXPECT_EQ(fleet_.asked, 3);
  EXPECT_EQ(upstream_.calls(), 1);
}

TEST_F(FleetFlowTest, whoever_waited_finds_the_answer_of_the_other_in_the_store) {
  auto second = second_of_two();
  fleet_.give(Kind::kLanded);
  const auto answer = second.wait();
  EXPECT_THAT(answer.cache_status(), ::testing::HasSubstr("detail=l2"));
  EXPECT_THAT(answer.body(), ::testing::HasSubstr("[DONE]"));
  EXPECT_EQ(upstream_.calls(), 1);
  EXPECT_EQ(requests(LookupOutcome::kL2Hit), 1U);
}

TEST_F(FleetFlowTest, whoever_gets_the_lease_late_looks_once_more_and_says_what_it_found) {
  auto second = second_of_two();
  fleet_.give(Kind::kLease);
  EXPECT_TRUE(second.wait().is_hit());
  EXPECT_TRUE(eventually([&] { return fleet_.given_back == 2; }));
  EXPECT_EQ(fleet_.landed, 1);
  EXPECT_EQ(upstream_.calls(), 1);
}

TEST_F(FleetFlowTest, a_failed_call_gives_the_lease_back_unwritten) {
  upstream_.answer_with([](const UpstreamExchange& exchange) { exchange.respond_json("{}", 500); });
  auto pending = start_chat(kQuestion);
  give(Kind::kLease);
  EXPECT_EQ(pending.wait().status(), 500);
  EXPECT_TRUE(eventually([&] { return fleet_.given_back == 1; }));
  EXPECT_EQ(fleet_.written, 0);
  EXPECT_EQ(fleet_.landed, 0);
}

TEST_F(FleetFlowTest, an_answer_that_is_not_kept_gives_it_back_before_it_has_ended) {
  auto pending = start_chat(kQuestion);
  give(Kind::kLease);
  const auto exchange = upstream_.next();
  exchange.start({{"Content-Type", "application/json"}}, 500);
  exchange.write("{");
  EXPECT_TRUE(eventually([&] { return fleet_.given_back == 1; }));
  exchange.write("}");
  exchange.finish();
  EXPECT_EQ(pending.wait().status(), 500);
}

TEST_F(FleetFlowTest, an_answer_that_was_purged_gives_it_back_as_more_of_it_comes) {
  auto pending = start_chat(kStreamQuestion);
  give(Kind::kLease);
  const auto exchange = upstream_.next();
  cache_->clear([](const Status&) {});
  exchange.start_stream();
  exchange.write(sse({kRoleChunk}));
  EXPECT_TRUE(eventually([&] { return fleet_.given_back == 1; }));
  exchange.write(sse({kHelloChunk, kStopChunk, kDone}));
  exchange.finish();
  EXPECT_TRUE(pending.wait().is_whole());
  EXPECT_EQ(fleet_.written, 0);
}

TEST_F(FleetFlowTest, or_as_somebody_asks_anew) {
  auto before = start_chat(kQuestion);
  give(Kind::kLease);
  const auto silent = upstream_.next();
  cache_->clear([](const Status&) {});
  auto after = start_chat(kQuestion);
  EXPECT_TRUE(eventually([&] { return fleet_.given_back == 1; }));
  give(Kind::kLease, 2);
  upstream_.next().respond_json(std::string(kHelloBody));
  EXPECT_EQ(after.wait().status(), 200);
  EXPECT_EQ(fleet_.written, 1);
  silent.respond_json(std::string(kHelloBody));
  EXPECT_EQ(before.wait().status(), 200);
  EXPECT_TRUE(eventually([&] { return metrics().flights_active == 0U; }));
  EXPECT_EQ(fleet_.written, 1);
}

TEST_F(FleetFlowTest, requests_that_share_nothing_take_no_turn) {
  answer_json();
  EXPECT_EQ(start_chat(kQuestion, {{"Cache-Control", "no-store"}}).wait().status(), 200);
  EXPECT_EQ(start_chat(kQuestion, {{"Cache-Control", "no-cache"}}).wait().status(), 200);
  EXPECT_EQ(fleet_.asked, 0);
}

}  // namespace
}  // namespace llm_edge_cache::proxy::test
