#include "proxy/request_decision.hpp"

#include <gtest/gtest.h>

#include "proxy/dialects/openai_chat.hpp"

namespace llm_edge_cache::proxy::request_decision_test {
namespace {

constexpr std::string_view kBody = R"({"model":"gpt-4o","temperature":0.5})";

ProxyOptions options_with(std::vector<CacheRule> rules) {
  ProxyOptions options;
  options.upstream_url = "http://upstream";
  options.rules = std::move(rules);
  return options;
}

http::RequestHead chat_head() {
  http::RequestHead head;
  head.method = "POST";
  head.target = "/v1/chat/completions?beta=1";
  return head;
}

class RequestDecisionTest : public ::testing::Test {
 protected:
  Result<RequestDecision> decide(std::string_view body, const RequestDirectives& directives = {}) {
    const auto head = chat_head();
    const auto surroundings = keyer_.surroundings_of(head, KeySpace(directives));
    return decide_request(keyer_, {dialect_, head, surroundings, body}, directives);
  }

  bool remembers(std::string_view body) {
    const auto head = chat_head();
    return keyer_.remembers({dialect_, head, keyer_.surroundings_of(head, ""), body});
  }

  const OpenAiChatDialect dialect_ = {};
  RequestKeyer keyer_{options_with(
      {{.model = "never*", .is_cached = false},
       {.path = "/v1/chat/completions", .samples = true, .ttl_ms = 5'000, .stale_if_error_ms = 9},
       {.ttl_ms = 1}})};
};

TEST_F(RequestDecisionTest, brings_key_rule_plan_and_life_together) {
  const auto decision = decide(kBody);
  ASSERT_TRUE(decision.ok());
  EXPECT_EQ(decision->request.key, keyer_.key_of(dialect_, chat_head(), "", kBody)->key);
  EXPECT_EQ(decision->request.rule, 1);
  EXPECT_EQ(decision->policy->ttl_ms, 5'000U);
  EXPECT_EQ(decision->plan, RequestPlan());
  EXPECT_EQ(decision->life, (Lifetimes{5'000, 9}));
}

TEST_F(RequestDecisionTest, is_the_same_for_a_body_that_is_remembered) {
  const auto first = decide(R"({"model":"gpt-4o","temperature":0})");
  const auto second = decide(R"({"model":"gpt-4o","temperature":0})");
  EXPECT_EQ(first->request.rule, 2);
  EXPECT_EQ(second->request, first->request);
}

TEST_F(RequestDecisionTest, nothing_is_kept_of_a_request_that_is_not_to_be_stored) {
  ASSERT_TRUE(decide(kBody, {.no_store = true}).ok());
  EXPECT_FALSE(remembers(kBody));
  ASSERT_TRUE(decide(kBody).ok());
  EXPECT_TRUE(remembers(kBody));
  ASSERT_TRUE(decide(R"({"model":"never-1"})").ok());
  EXPECT_FALSE(remembers(R"({"model":"never-1"})"));
}

TEST_F(RequestDecisionTest, the_namespace_and_the_life_come_from_the_request) {
  const auto decision = decide(kBody, {.ttl_ms = 3U, .name_space = "n"});
  EXPECT_EQ(decision->life.ttl_ms, 3U);
  EXPECT_NE(decision->request.key, decide(kBody)->request.key);
}

TEST_F(RequestDecisionTest, a_rule_can_say_never) {
  EXPECT_FALSE(decide(R"({"model":"never-1"})")->plan.may_store);
}

TEST_F(RequestDecisionTest, there_is_none_where_there_is_no_key) {
  EXPECT_EQ(decide("not json").error().code, ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace llm_edge_cache::proxy::request_decision_test
