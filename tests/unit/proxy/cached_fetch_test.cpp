#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "proxy_fixture.hpp"

namespace llm_edge_cache::proxy::test {
namespace {

class CachedFetchTest : public ProxyTest {
 protected:
  CachedFetchTest() : ProxyTest({.proxy = {}, .has_l2 = true}) {}

  // The shared store has the answer and memory has not, as in a second instance.
  void store_in_l2_only() {
    answer_json();
    ask(kQuestion);
    l1_->erase_all();
  }
  // L2 has an answer of 100 s, and does not say so before its gate is opened.
  PendingAnswer start_while_l2_is_asked() {
    store_in_l2_only();
    clock_->advance_ms(100'000);
    const auto gets_before = l2_->gets();
    l2_->close_gate();
    auto leader = start_chat(kQuestion);
    EXPECT_TRUE(eventually([&] { return l2_->gets() == gets_before + 1; }));
    return leader;
  }
};

TEST_F(CachedFetchTest, what_the_shared_store_has_is_answered_and_kept_in_memory) {
  store_in_l2_only();
  const auto from_l2 = ask(kQuestion);
  EXPECT_EQ(from_l2.cache_status(), "llm-edge-cache; hit; ttl=3600; detail=l2");
  EXPECT_EQ(from_l2.body(), kHelloBody);
  EXPECT_EQ(ask(kQuestion).cache_status(), "llm-edge-cache; hit; ttl=3600; detail=l1");
  EXPECT_EQ(requests(LookupOutcome::kL2Hit), 1U);
  EXPECT_EQ(upstream_.calls(), 1);
}

TEST_F(CachedFetchTest, an_answer_from_the_shared_store_keeps_its_age_and_its_end) {
  store_in_l2_only();
  clock_->advance_ms(100'000);
  const auto from_l2 = ask(kQuestion);
  EXPECT_EQ(from_l2.header("age"), "100");
  EXPECT_EQ(from_l2.cache_status(), "llm-edge-cache; hit; ttl=3500; detail=l2");
}

TEST_F(CachedFetchTest, all_who_ask_while_the_store_is_asked_share_its_answer) {
  store_in_l2_only();
  const auto gets_before = l2_->gets();
  l2_->close_gate();
  std::vector<PendingAnswer> pending;
  for (int i = 0; i < 8; ++i) pending.push_back(start_chat(kQuestion));
  ASSERT_TRUE(eventually([&] { return l2_->gets() == gets_before + 1; }));
  l2_->open_gate();
  for (auto& answer : pending) EXPECT_EQ(answer.wait().body(), kHelloBody);
  EXPECT_EQ(upstream_.calls(), 1);
}

TEST_F(CachedFetchTest, a_store_that_has_nothing_leads_to_one_call) {
  l2_->close_gate();
  std::vector<PendingAnswer> pending;
  for (int i = 0; i < 4; ++i) pending.push_back(start_chat(kQuestion));
  answer_json();
  l2_->open_gate();
  for (auto& answer : pending) EXPECT_EQ(answer.wait().body(), kHelloBody);
  EXPECT_EQ(upstream_.calls(), 1);
}

TEST_F(CachedFetchTest, who_wants_a_younger_answer_than_the_store_has_gets_one) {
  store_in_l2_only();
  clock_->advance_ms(100'000);
  EXPECT_FALSE(ask(kQuestion, {{"Cache-Control", "max-age=5"}}).is_hit());
  EXPECT_EQ(upstream_.calls(), 2);
}

TEST_F(CachedFetchTest, all_who_cannot_have_what_the_store_has_share_one_call) {
  auto leader = start_while_l2_is_asked();
  std::vector<PendingAnswer> demanding;
  for (int i = 0; i < 8; ++i) {
    demanding.push_back(start_chat(kQuestion, {{"Cache-Control", "max-age=5"}}));
  }
  l2_->open_gate();
  EXPECT_TRUE(leader.wait().is_hit());
  for (auto& answer : demanding) EXPECT_NE(answer.wait().header("age"), "100");
  EXPECT_EQ(upstream_.calls(), 2);
}

TEST_F(CachedFetchTest, a_follower_that_wants_a_younger_answer_gets_one) {
  auto leader = start_while_l2_is_asked();
  auto follower = start_chat(kQuestion, {{"Cache-Control", "max-age=5"}});
  // Whether it has joined by now or comes too late, the stored answer is not for it.
  l2_->open_gate();
  EXPECT_TRUE(leader.wait().is_hit());
  EXPECT_FALSE(follower.wait().is_hit());
}

TEST_F(CachedFetchTest, only_if_cached_asks_the_shared_store_too) {
  store_in_l2_only();
  EXPECT_TRUE(ask(kQuestion, {{"Cache-Control", "only-if-cached"}}).is_hit());
  EXPECT_EQ(upstream_.calls(), 1);
}

TEST_F(CachedFetchTest, no_store_and_no_cache_do_not_ask_the_shared_store) {
  store_in_l2_only();
  const auto gets_before = l2_->gets();
  ask(kQuestion, {{"Cache-Control", "no-store"}});
  ask(kQuestion, {{"Cache-Control", "no-cache"}});
  EXPECT_EQ(l2_->gets(), gets_before);
}

}  // namespace
}  // namespace llm_edge_cache::proxy::test
