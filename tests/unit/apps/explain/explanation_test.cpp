#include "explain/explanation.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/sha256.hpp"
#include "proxy/dialects/dialects.hpp"
#include "proxy/request_keyer.hpp"

namespace llm_edge_cache::app::explanation_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr auto kSecret = "a secret that is long enough";
constexpr std::string_view kBody =
    R"({"model":"gpt-4o","messages":[],"stream":true,"user":"u","temperature":0.5})";

class ExplanationTest : public ::testing::Test {
 protected:
  ExplanationTest() {
    config_.upstream = "http://127.0.0.1:1";
    config_.stale_if_error_seconds = 60;
    config_.rules = {
        {{.model = "never*", .is_cached = false}, "proxy.yaml:2: rules[1]"},
        {{.name = "four", .model = "gpt-4*", .ttl_ms = 100'000}, "proxy.yaml:4: rules[2]"}};
    head_.method = "POST";
    head_.target = "/v1/chat/completions";
    head_.headers.add("Authorization", "Bearer alice");
  }

  Explanation explained(std::string_view body = kBody, const std::string& secret = kSecret) {
    return explain(config_, secret, head_, body);
  }

  ServeConfig config_;
  http::RequestHead head_;
};

TEST_F(ExplanationTest, tells_the_key_that_the_proxy_computes) {
  proxy::RequestKeyer keyer(config_.proxy_options(kSecret));
  const auto key =
      keyer.key_of(*proxy::Dialects().find("POST", head_.path()), head_, "", kBody)->key;
  EXPECT_THAT(explained().keys, ElementsAre(to_hex(key)));
  EXPECT_THAT(to_text(explained()), HasSubstr(to_hex(key)));
}

TEST_F(ExplanationTest, tells_rule_life_and_windows) {
  const auto explanation = explained();
  EXPECT_EQ(explanation.objection, "");
  ASSERT_TRUE(explanation.decision && explanation.decision->rule);
  EXPECT_EQ(explanation.decision->rule_number, 2U);
  EXPECT_EQ(explanation.decision->life, (proxy::Lifetimes{100'000, 60'000}));
  const auto text = to_text(explanation);
  EXPECT_THAT(text, HasSubstr("rule             proxy.yaml:4: rules[2] 'four'\n"));
  EXPECT_THAT(text, HasSubstr("ttl              100 s\n"));
  EXPECT_THAT(text, HasSubstr("stale, on error  for 60 s\n"));
  EXPECT_THAT(text, HasSubstr("stale, at once   no\n"));
}

TEST_F(ExplanationTest, where_no_rule_matches_the_defaults_are_told) {
  const auto explanation = explained(R"({"model":"other"})");
  ASSERT_TRUE(explanation.decision);
  EXPECT_FALSE(explanation.decision->rule);
  EXPECT_EQ(explanation.decision->life.ttl_ms, 300'000U);
  EXPECT_THAT(to_text(explanation), HasSubstr("none matches: the defaults"));
  EXPECT_TRUE(to_json(explanation)["decision"]["rule"].is_null());
}

TEST_F(ExplanationTest, tells_scope_and_what_is_not_in_the_key) {
  head_.headers.add("anthropic-version", "2023-06-01");
  head_.headers.add("x-llm-cache-namespace", "eval");
  const auto explanation = explained();
  EXPECT_THAT(explanation.credential_headers, ElementsAre("authorization"));
  EXPECT_THAT(explanation.key_headers, ElementsAre("anthropic-version"));
  EXPECT_EQ(explanation.name_space, "eval");
  EXPECT_THAT(explanation.decision->keyless_members, ElementsAre("stream", "user"));
  EXPECT_THAT(to_text(explanation), Not(HasSubstr("alice")));
  EXPECT_THAT(to_json(explanation).dump(), Not(HasSubstr("alice")));
}

TEST_F(ExplanationTest, a_key_of_a_secret_that_is_not_known_is_not_told) {
  config_.ttl_jitter_percent = 50;
  const auto explanation = explained(kBody, "");
  EXPECT_THAT(explanation.keys, IsEmpty());
  EXPECT_THAT(explanation.why_no_key, HasSubstr("--scope-secret-file"));
  EXPECT_EQ(explanation.decision->life.ttl_ms, 100'000U);  // at most
  config_.scope = "shared";
  EXPECT_THAT(explained(kBody, "").keys, Not(IsEmpty()));
}

TEST_F(ExplanationTest, says_why_something_is_not_cached) {
  EXPECT_EQ(explained(R"({"model":"never-1"})").objection, "the rule says never");
  EXPECT_THAT(explained("not json").objection, HasSubstr("it has no key"));
  EXPECT_FALSE(explained("not json").decision);
  head_.headers.add("cache-control", "no-store");
  EXPECT_EQ(explained().objection, "the request says no-store");
  EXPECT_FALSE(explained().decision->plan.may_store);
}

TEST_F(ExplanationTest, what_is_never_cached_has_neither_life_nor_windows) {
  const auto explanation = explained(R"({"model":"never-1"})");
  EXPECT_EQ(to_json(explanation)["decision"]["ttl_ms"], 0);
  EXPECT_EQ(to_json(explanation)["decision"]["stale_if_error_ms"], 0);
  EXPECT_THAT(to_text(explanation), HasSubstr("stale, on error  no\n"));
}

TEST_F(ExplanationTest, a_path_that_is_not_cached_passes) {
  head_.target = "/v1/models";
  const auto explanation = explained();
  EXPECT_FALSE(explanation.is_known_endpoint);
  EXPECT_THAT(explanation.objection, HasSubstr("passed through"));
  EXPECT_THAT(to_text(explanation), HasSubstr("cached           no: "));
}

TEST_F(ExplanationTest, a_directive_that_cannot_be_used_is_refused) {
  head_.headers.add("x-llm-cache-ttl", "soon");
  const auto explanation = explained();
  EXPECT_THAT(explanation.refusal, HasSubstr("x-llm-cache-ttl"));
  EXPECT_THAT(to_text(explanation), HasSubstr("error            x-llm-cache-ttl"));
}

TEST_F(ExplanationTest, directives_count) {
  head_.headers.add("x-llm-cache-ttl", "5");
  EXPECT_EQ(explained().decision->life.ttl_ms, 5'000U);
  head_.headers.add("cache-control", "only-if-cached");
  EXPECT_FALSE(explained().decision->plan.may_call_upstream);
  EXPECT_THAT(to_text(explained()), HasSubstr("provider         never asked\n"));
}

TEST_F(ExplanationTest, limits_of_a_credential_are_told_where_they_hold) {
  EXPECT_THAT(to_text(explained()), Not(HasSubstr("its credential")));
  EXPECT_TRUE(to_json(explained())["credential_limits"].is_null());
  config_.credential_requests_per_second = "0.5";
  config_.credential_max_concurrent = 3;
  EXPECT_THAT(to_text(explained()),
              HasSubstr("its credential   0.5 requests a second, 1 at once after a rest; 3 under "
                        "way\n"));
  const auto limits = to_json(explained())["credential_limits"];
  EXPECT_EQ(limits["requests_per_second"], 0.5);
  EXPECT_EQ(limits["burst"], 1);
  EXPECT_EQ(limits["max_concurrent"], 3);
  config_.tenants = {{.name = "one", .keys = {sha256("alice")}}};
  EXPECT_FALSE(explained().credential_limits);
}

TEST_F(ExplanationTest, tenants_are_told_as_the_proxy_tells_them) {
  config_.tenants = {{.name = "one", .keys = {sha256("key-of-one")}},
                     {.name = "two", .keys = {sha256("key-of-two")}}};
  EXPECT_EQ(explained().refusal, "no gateway key of one tenant");  // alice is none
  head_.headers.set("Authorization", "Bearer key-of-one");
  const auto keys_of_one = explained().keys;
  EXPECT_EQ(explained().refusal, "");
  head_.headers.set("Authorization", "Bearer key-of-two");
  EXPECT_NE(explained().keys, keys_of_one);
  config_.unknown_keys = "pass";
  head_.headers.add("x-api-key", "key-of-one");
  EXPECT_EQ(explained().refusal, "no gateway key of one tenant");  // whose it is cannot be told
  head_.headers.erase("x-api-key");
  head_.headers.set("Authorization", "Bearer alice");
  EXPECT_EQ(explained().refusal, "");
}

TEST_F(ExplanationTest, embeddings_have_a_key_for_each_element) {
  head_.target = "/v1/embeddings";
  const auto explanation = explained(R"({"model":"e","input":["a","b","a"]})");
  EXPECT_EQ(explanation.keys.size(), 2U);
  EXPECT_TRUE(explanation.decision->is_in_parts);
  EXPECT_EQ(explanation.decision->life.stale_ms, 0U);
  EXPECT_EQ(to_json(explanation)["decision"]["stale_if_error_ms"], 0);
}

TEST_F(ExplanationTest, json_has_it_all) {
  const auto json = to_json(explained());
  EXPECT_EQ(json["cached"], true);
  EXPECT_TRUE(json["reason"].is_null());
  EXPECT_EQ(json["keys"][0]["short"], json["keys"][0]["key"].get<std::string>().substr(0, 16));
  EXPECT_EQ(json["scope"]["mode"], "credential");
  EXPECT_EQ(json["decision"]["form"], "stream");
  EXPECT_EQ(json["decision"]["traits"]["temperature_above_zero"], true);
  EXPECT_EQ(json["decision"]["rule"]["origin"], "proxy.yaml:4: rules[2]");
  EXPECT_EQ(json["decision"]["ttl_ms"], 100'000);
  EXPECT_EQ(json["decision"]["stale_if_error_ms"], 60'000);
  EXPECT_EQ(json["decision"]["stores"], true);
  EXPECT_EQ(json["tiers"]["l1_tti_ms"], 120'000);
  EXPECT_TRUE(json["tiers"]["l2_ttl_ms"].is_null());
}

}  // namespace
}  // namespace llm_edge_cache::app::explanation_test
