#include "proxy/known_head.hpp"

#include <gtest/gtest.h>

#include <string>

#include "base/sha256.hpp"

namespace llm_edge_cache::proxy {
namespace {

ProxyOptions options_for(std::string scope_secret = "secret") {
  ProxyOptions options;
  options.upstream_url = "http://upstream";
  options.scope_secret = std::move(scope_secret);
  return options;
}

http::RequestHead chat_head(http::Headers headers = {}) {
  http::RequestHead head;
  head.method = "POST";
  head.target = "/v1/chat/completions";
  head.headers = std::move(headers);
  return head;
}

class KnownHeadTest : public ::testing::Test {
 protected:
  KnownHead known(const http::RequestHead& head) { return {head, dialects_, policies_}; }

  const Dialects dialects_;
  const ProxyPolicies policies_{options_for()};
};

TEST_F(KnownHeadTest, names_the_dialect_that_caches_such_requests) {
  EXPECT_EQ(known(chat_head()).dialect, dialects_.find("POST", "/v1/chat/completions"));
  auto head = chat_head();
  head.method = "GET";
  EXPECT_EQ(known(head).dialect, nullptr);
  EXPECT_EQ(known(head).surroundings, Surroundings{});
}

TEST_F(KnownHeadTest, has_the_directives_or_says_why_there_are_none) {
  EXPECT_EQ(known(chat_head({{"x-llm-cache-ttl", "7"}})).directives->ttl_ms, 7'000U);
  const auto unusable = known(chat_head({{"x-llm-cache-ttl", "soon"}}));
  EXPECT_FALSE(unusable.directives.ok());
  EXPECT_EQ(unusable.surroundings, Surroundings{});
}

TEST_F(KnownHeadTest, surroundings_differ_with_whatever_the_key_follows_from) {
  const auto of = [this](http::Headers headers) {
    return known(chat_head(std::move(headers))).surroundings;
  };
  const auto plain = of({});
  EXPECT_EQ(of({{"accept", "x"}, {"content-length", "7"}}), plain);
  EXPECT_NE(of({{"authorization", "a"}}), plain);
  EXPECT_NE(of({{"authorization", "a"}}), of({{"authorization", "b"}}));
  EXPECT_NE(of({{"x-llm-cache-namespace", "a"}}), plain);
  EXPECT_NE(of({{"openai-organization", "a"}}), plain);
  auto other_target = chat_head();
  other_target.target += "?a=b";
  EXPECT_NE(known(other_target).surroundings, plain);
}

TEST_F(KnownHeadTest, a_tenant_of_the_policies_puts_in_its_word) {
  auto options = options_for();
  options.tenants = {{.name = "a", .keys = {sha256("gateway-key")}, .max_ttl_ms = 9'000}};
  const ProxyPolicies policies(options);
  const KnownHead tenants(chat_head({{"authorization", "Bearer gateway-key"}}), dialects_,
                          policies);
  ASSERT_NE(tenants.found_tenant.tenant, nullptr);
  EXPECT_EQ(tenants.directives->max_ttl_ms, 9'000U);
  EXPECT_FALSE(tenants.directives->tenant_space.empty());
  EXPECT_EQ(known(chat_head({{"authorization", "Bearer gateway-key"}})).found_tenant.tenant,
            nullptr);
}

TEST_F(KnownHeadTest, has_what_a_page_is_told_and_knows_who_only_asks) {
  auto options = options_for();
  options.cors_origins = {"https://app.example"};
  const ProxyPolicies policies(options);
  auto head =
      chat_head({{"origin", "https://app.example"}, {"access-control-request-method", "POST"}});
  const KnownHead page(head, dialects_, policies);
  ASSERT_NE(page.extra_fields, nullptr);
  EXPECT_EQ(page.extra_fields, policies.cors.fields_for(&head));
  EXPECT_FALSE(page.is_preflight);
  head.method = "OPTIONS";
  EXPECT_TRUE(KnownHead(head, dialects_, policies).is_preflight);
  EXPECT_EQ(known(head).extra_fields, nullptr);
  EXPECT_FALSE(known(head).is_preflight);
}

TEST_F(KnownHeadTest, no_two_policies_have_one_version) {
  const ProxyPolicies others(options_for());
  EXPECT_NE(others.version, policies_.version);
  EXPECT_EQ(known(chat_head()).policies_version, policies_.version);
}

}  // namespace
}  // namespace llm_edge_cache::proxy
