// What the operator's rules do to requests.
#include <gtest/gtest.h>

#include <string>

#include "base/sha256.hpp"
#include "proxy_fixture.hpp"

namespace llm_edge_cache::proxy::test {
namespace {

ProxyOptions options_with_rules() {
  ProxyOptions options;
  options.rules = {{.has_tools = true, .is_cached = false},
                   {.model = "m-1", .samples = false, .ttl_ms = 600'000, .max_ttl_ms = 900'000},
                   {.model = "m-1", .ttl_ms = 10'000, .stale_if_error_ms = 50'000},
                   {.model = "never", .path = "/v1/embeddings", .is_cached = false},
                   {.path = "/v1/embeddings", .ttl_ms = 7'000}};
  return options;
}

std::string question_with(const std::string& members) {
  return R"({"model":"m-1","messages":[{"role":"user","content":"Hi"}],)" + members + "}";
}

class RulesFlowTest : public ProxyTest {
 protected:
  RulesFlowTest() : ProxyTest({.proxy = options_with_rules()}) {}

  std::string status_of_second(const std::string& question, const http::Headers& headers = {}) {
    answer_json();
    ask(question, headers);
    return ask(question).cache_status();
  }
};

TEST_F(RulesFlowTest, the_first_rule_that_matches_gives_the_life) {
  EXPECT_EQ(status_of_second(question_with(R"("temperature":0)")),
            "llm-edge-cache; hit; ttl=600; detail=l1");
  EXPECT_EQ(status_of_second(question_with(R"("temperature":1)")),
            "llm-edge-cache; hit; ttl=10; detail=l1");
}

TEST_F(RulesFlowTest, where_none_matches_the_defaults_count) {
  EXPECT_EQ(status_of_second(R"({"model":"other","messages":[]})"),
            "llm-edge-cache; hit; ttl=3600; detail=l1");
}

TEST_F(RulesFlowTest, a_request_may_ask_for_as_much_as_its_rule_allows) {
  EXPECT_EQ(status_of_second(question_with(R"("temperature":0)"), {{"x-llm-cache-ttl", "9999"}}),
            "llm-edge-cache; hit; ttl=900; detail=l1");
  EXPECT_EQ(status_of_second(question_with(R"("top_p":1)"), {{"x-llm-cache-ttl", "9999"}}),
            "llm-edge-cache; hit; ttl=10; detail=l1");
}

TEST_F(RulesFlowTest, what_is_never_cached_passes) {
  const auto question = question_with(R"("tools":[{"type":"function"}])");
  answer_json();
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(ask(question).cache_status(), "llm-edge-cache; fwd=bypass");
  }
  EXPECT_EQ(upstream_.calls(), 2);
  EXPECT_EQ(requests(LookupOutcome::kBypass), 2U);
  EXPECT_EQ(ask(question, {{"Cache-Control", "only-if-cached"}}).status(), 504);
}

TEST_F(RulesFlowTest, a_rule_has_windows_of_its_own) {
  const auto question = question_with(R"("temperature":1)");
  answer_json();
  ask(question);
  clock_->advance_ms(59'999);
  upstream_.answer_with([](const UpstreamExchange& exchange) { exchange.respond_json("{}", 503); });
  EXPECT_EQ(ask(question).status(), 200);
  clock_->advance_ms(1);
  EXPECT_EQ(ask(question).status(), 503);
}

// The client asks on one connection with one head.
TEST_F(RulesFlowTest, a_repeated_head_is_judged_by_the_rules_and_tenants_of_the_hour) {
  const http::Headers key{{"x-api-key", "key-a"}};
  const auto question = question_with(R"("temperature":0)");
  EXPECT_EQ(status_of_second(question), "llm-edge-cache; hit; ttl=600; detail=l1");
  auto options = options_with_rules();
  options.upstream_url = upstream_.url();
  options.tenants = {{.name = "a", .keys = {sha256("key-a")}, .credentials = {{"default", "up"}}}};
  ASSERT_TRUE(proxy_->reload(options).ok());
  EXPECT_EQ(ask(question).status(), 401);
  EXPECT_EQ(ask(question, key).cache_status(), "llm-edge-cache; fwd=miss; stored");
  options.tenants.front().name = "b";
  ASSERT_TRUE(proxy_->reload(options).ok());
  EXPECT_EQ(ask(question, key).cache_status(), "llm-edge-cache; fwd=miss; stored");
  options.tenants.clear();
  ASSERT_TRUE(proxy_->reload(options).ok());
  EXPECT_EQ(ask(question).cache_status(), "llm-edge-cache; hit; ttl=600; detail=l1");
}

TEST_F(RulesFlowTest, embeddings_have_rules_too) {
  const std::string answer =
      R"({"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.5]}],)"
      R"("model":"e","usage":{"prompt_tokens":1,"total_tokens":1}})";
  answer_json(answer);
  const std::string cached = R"({"model":"e","input":"a"})";
  request("POST", "/v1/embeddings", cached);
  EXPECT_EQ(request("POST", "/v1/embeddings", cached).cache_status(),
            "llm-edge-cache; hit; ttl=7; detail=l1");
  const std::string never = R"({"model":"never","input":"a"})";
  request("POST", "/v1/embeddings", never);
  EXPECT_EQ(request("POST", "/v1/embeddings", never).cache_status(), "llm-edge-cache; fwd=bypass");
}

}  // namespace
}  // namespace llm_edge_cache::proxy::test
