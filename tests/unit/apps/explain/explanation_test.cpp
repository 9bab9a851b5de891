#include "explain/explanation.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

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

  static std::string_view code_of(const Explanation& explanation) {
    return explanation.refusal ? explanation.refusal->code : std::string_view();
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
  EXPECT_THAT(text, HasSubstr("fresh to it      until it is 100 s old\n"));
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

TEST_F(ExplanationTest, what_connection_names_is_neither_scope_nor_key) {
  head_.headers.add("anthropic-version", "2023-06-01");
  head_.headers.add("connection", "authorization, anthropic-version");
  EXPECT_THAT(explained().credential_headers, IsEmpty());
  EXPECT_THAT(explained().key_headers, IsEmpty());
  EXPECT_THAT(to_text(explained()),
              HasSubstr("scope            credential, by the absence of any\n"));
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

TEST_F(ExplanationTest, a_tenants_key_depends_on_the_secret_in_every_scope) {
  config_.scope = "shared";
  config_.tenants = {{.name = "one", .keys = {sha256("alice")}}};
  config_.unknown_keys = "pass";
  EXPECT_THAT(explained(kBody, "").keys, IsEmpty());
  EXPECT_THAT(explained(kBody, "").why_no_key, HasSubstr("--scope-secret-file"));
  EXPECT_NE(explained().keys, explained(kBody, "another secret of tests").keys);
  head_.headers.set("Authorization", "Bearer bob");
  EXPECT_THAT(explained(kBody, "").keys, Not(IsEmpty()));
}

TEST_F(ExplanationTest, a_secret_is_not_looked_for_where_it_dies_with_the_process) {
  EXPECT_EQ(*known_scope_secret(config_), "");
  config_.scope_secret = kSecret;
  EXPECT_EQ(*known_scope_secret(config_), kSecret);
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
  EXPECT_EQ(explanation.decision->windows, ServingWindows());
  EXPECT_THAT(to_text(explanation), HasSubstr("stale, on error  no\n"));
  EXPECT_THAT(to_text(explanation), Not(HasSubstr("fresh to it")));
}

// A life of 100 s, windows of 20 s and 60 s.
class ExplainedWindowsTest : public ExplanationTest {
 protected:
  ExplainedWindowsTest() { config_.stale_while_revalidate_seconds = 20; }

  ServingWindows windows_with(std::string_view cache_control) {
    head_.headers.set("Cache-Control", cache_control);
    return explained().decision->windows;
  }
  // Of fresh, stale while revalidated, stale at once, stale on error; in seconds.
  static ServingWindows in_seconds(std::uint64_t fresh, std::uint64_t revalidated,
                                   std::uint64_t at_once, std::uint64_t on_error) {
    return {fresh * 1'000, revalidated * 1'000, at_once * 1'000, on_error * 1'000};
  }
};

TEST_F(ExplainedWindowsTest, without_a_word_are_those_of_the_configuration) {
  EXPECT_EQ(explained().decision->windows, in_seconds(100, 20, 20, 60));
  EXPECT_EQ(windows_with("no-transform"), in_seconds(100, 20, 20, 60));
}

TEST_F(ExplainedWindowsTest, a_request_that_bounds_the_age_gets_nothing_stale) {
  EXPECT_EQ(windows_with("max-age=10"), in_seconds(11, 0, 0, 0));  // whole seconds of age
  EXPECT_EQ(windows_with("min-fresh=5"), in_seconds(95, 0, 0, 0));
  EXPECT_EQ(windows_with("min-fresh=500"), in_seconds(0, 0, 0, 0));
}

TEST_F(ExplainedWindowsTest, max_stale_bounds_and_extends_what_is_given_at_once) {
  EXPECT_EQ(windows_with("max-stale=10"), in_seconds(100, 10, 10, 10));
  EXPECT_EQ(windows_with("max-stale=30"), in_seconds(100, 20, 30, 30));
  EXPECT_EQ(windows_with("max-stale"), in_seconds(100, 20, 60, 60));  // nothing is kept longer
}

TEST_F(ExplainedWindowsTest, stale_if_error_takes_the_place_of_the_configured_one) {
  EXPECT_EQ(windows_with("stale-if-error=0"), in_seconds(100, 20, 20, 0));
  EXPECT_EQ(windows_with("stale-if-error=30"), in_seconds(100, 20, 20, 30));
  EXPECT_EQ(windows_with("max-age=10, stale-if-error=30"), in_seconds(11, 0, 0, 30));
}

TEST_F(ExplainedWindowsTest, where_nobody_is_asked_nothing_fails) {
  EXPECT_EQ(windows_with("only-if-cached"), in_seconds(100, 20, 20, 0));
}

TEST_F(ExplainedWindowsTest, without_a_lookup_there_are_none) {
  EXPECT_EQ(windows_with("no-cache"), ServingWindows());
}

TEST_F(ExplainedWindowsTest, who_stores_nothing_is_given_what_others_stored) {
  head_.headers.add("x-llm-cache-ttl", "0");
  EXPECT_EQ(explained().decision->windows.fresh_ms, 100'000U);
  EXPECT_EQ(explained().decision->windows.stale_if_error_ms, 60'000U);
  EXPECT_EQ(to_json(explained())["decision"]["ttl_ms"], 0);
}

TEST_F(ExplainedWindowsTest, of_a_tenant_end_with_the_longest_life_of_its_answers) {
  config_.tenants = {{.name = "one", .keys = {sha256("alice")}, .max_ttl_ms = 110'000}};
  EXPECT_EQ(explained().decision->windows, in_seconds(100, 10, 10, 10));
  config_.tenants[0].max_ttl_ms = 50'000;
  EXPECT_EQ(explained().decision->windows, in_seconds(50, 0, 0, 0));
  EXPECT_THAT(to_text(explained()), HasSubstr("stale, on error  no\n"));
}

TEST_F(ExplainedWindowsTest, stand_in_text_and_json) {
  head_.headers.set("Cache-Control", "max-stale=30");
  const auto text = to_text(explained());
  EXPECT_THAT(text, HasSubstr("stale, at once   for 30 s\n"));
  EXPECT_THAT(text, HasSubstr("stale, on error  for 30 s\n"));
  const auto decision = to_json(explained())["decision"];
  EXPECT_EQ(decision["fresh_ms"], 100'000);
  EXPECT_EQ(decision["stale_while_revalidate_ms"], 20'000);
  EXPECT_EQ(decision["stale_at_once_ms"], 30'000);
  EXPECT_EQ(decision["stale_if_error_ms"], 30'000);
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
  ASSERT_TRUE(explanation.refusal);
  EXPECT_EQ(explanation.refusal->code, "invalid_cache_directive");
  EXPECT_EQ(explanation.objection, "the request is refused");
  EXPECT_THAT(to_text(explanation), HasSubstr("error            x-llm-cache-ttl"));
}

TEST_F(ExplanationTest, what_no_upstream_takes_is_refused) {
  config_.upstream.clear();
  config_.upstreams = {
      {.name = "claude", .models = {"claude*"}, .members = {{.url = "http://127.0.0.1:1"}}}};
  const auto explanation = explained();
  EXPECT_EQ(code_of(explanation), "no_upstream");
  EXPECT_EQ(explanation.objection, "the request is refused");
  EXPECT_THAT(explanation.why_no_key, HasSubstr("no upstream"));
  EXPECT_THAT(to_text(explanation), HasSubstr("(404 no_upstream)\n"));
  const auto error = to_json(explanation)["error"];
  EXPECT_EQ(error["status"], 404);
  EXPECT_EQ(error["code"], "no_upstream");
  EXPECT_EQ(code_of(explained("not json")), "no_upstream");
  EXPECT_EQ(code_of(explained(R"({"model":"claude-1"})")), "");
  head_.target = "/v1/embeddings";
  EXPECT_EQ(code_of(explained(R"({"model":"e","input":"a"})")), "no_upstream");
  head_.target = "/v1/models";
  EXPECT_EQ(code_of(explained("")), "no_upstream");
}

TEST_F(ExplanationTest, what_is_only_wanted_from_the_cache_and_cannot_be_there_is_refused) {
  head_.headers.add("cache-control", "only-if-cached");
  EXPECT_EQ(code_of(explained()), "");
  EXPECT_EQ(code_of(explained("not json")), "not_cached");
  EXPECT_THAT(to_text(explained("not json")), HasSubstr("(504 not_cached)\n"));
  EXPECT_EQ(code_of(explained(R"({"model":"never-1"})")), "not_cached");
  head_.headers.set("cache-control", "only-if-cached, no-cache");
  EXPECT_EQ(code_of(explained()), "not_cached");
  head_.target = "/v1/models";
  EXPECT_EQ(code_of(explained()), "");  // such a path has no words for the cache
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
  head_.target = "/v1/models";
  EXPECT_FALSE(explained().credential_limits);
}

TEST_F(ExplanationTest, more_credentials_than_are_counted_for_are_refused) {
  for (int i = 0; i < 8; ++i) head_.headers.add("x-api-key", std::to_string(i));
  EXPECT_EQ(code_of(explained()), "");
  config_.credential_max_concurrent = 3;
  EXPECT_EQ(code_of(explained()), "too_many_credentials");
}

TEST_F(ExplanationTest, tenants_are_told_as_the_proxy_tells_them) {
  config_.tenants = {{.name = "one", .keys = {sha256("key-of-one")}},
                     {.name = "two", .keys = {sha256("key-of-two")}}};
  EXPECT_EQ(code_of(explained()), "unknown_key");  // alice is none
  head_.headers.set("Authorization", "Bearer key-of-one");
  const auto keys_of_one = explained().keys;
  EXPECT_EQ(code_of(explained()), "");
  head_.headers.set("Authorization", "Bearer key-of-two");
  EXPECT_NE(explained().keys, keys_of_one);
  config_.unknown_keys = "pass";
  head_.headers.add("x-api-key", "key-of-one");
  EXPECT_EQ(code_of(explained()), "unknown_key");  // whose it is cannot be told
  head_.headers.erase("x-api-key");
  head_.headers.set("Authorization", "Bearer alice");
  EXPECT_EQ(code_of(explained()), "");
}

TEST_F(ExplanationTest, who_is_no_tenant_is_refused_on_every_path) {
  config_.tenants = {{.name = "one", .keys = {sha256("key-of-one")}}};
  head_.target = "/v1/models";
  EXPECT_EQ(code_of(explained()), "unknown_key");
  EXPECT_THAT(to_text(explained()), HasSubstr("(401 unknown_key)\n"));
}

TEST_F(ExplanationTest, the_scope_of_a_tenants_request_is_the_tenants) {
  config_.tenants = {{.name = "one", .keys = {sha256("alice")}}};
  EXPECT_THAT(to_text(explained()), HasSubstr("scope            tenant 'one'\n"));
  auto scope = to_json(explained())["scope"];
  EXPECT_EQ(scope["mode"], "tenant");
  EXPECT_EQ(scope["tenant"], "one");
  EXPECT_EQ(scope["tenant_namespace"], "one");
  EXPECT_TRUE(scope["credential_headers"].empty());
  config_.tenants[0].name_space = "team";
  head_.headers.add("x-llm-cache-namespace", "eval");
  EXPECT_THAT(to_text(explained()),
              HasSubstr("scope            tenant 'one', who shares 'team', namespace 'eval'\n"));
  config_.unknown_keys = "pass";
  head_.headers.set("Authorization", "Bearer bob");
  scope = to_json(explained())["scope"];
  EXPECT_EQ(scope["mode"], "credential");
  EXPECT_TRUE(scope["tenant"].is_null());
}

TEST_F(ExplanationTest, embeddings_have_a_key_for_each_element) {
  head_.target = "/v1/embeddings";
  const auto explanation = explained(R"({"model":"e","input":["a","b","a"]})");
  EXPECT_EQ(explanation.keys.size(), 2U);
  EXPECT_TRUE(explanation.decision->is_in_parts);
  EXPECT_EQ(explanation.decision->life.stale_ms, 0U);
  EXPECT_EQ(to_json(explanation)["decision"]["stale_if_error_ms"], 0);
}

TEST_F(ExplanationTest, embeddings_live_as_long_as_the_first_to_end) {
  config_.ttl_jitter_percent = 50;
  head_.target = "/v1/embeddings";
  const auto life_of = [&](std::string_view body) { return explained(body).decision->life.ttl_ms; };
  EXPECT_EQ(
      life_of(R"({"model":"e","input":["a","b"]})"),
      std::min(life_of(R"({"model":"e","input":"a"})"), life_of(R"({"model":"e","input":"b"})")));
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
