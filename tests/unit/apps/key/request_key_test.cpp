#include "key/request_key.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/sha256.hpp"
#include "llm_edge_cache/key.hpp"

namespace llm_edge_cache::app {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;

TEST(LibraryKeyTest, is_the_one_of_the_library) {
  const LibraryRequest request{.model = "m",
                               .prompt = "p",
                               .temperature = 0.7,
                               .max_tokens = 5,
                               .name_space = "n",
                               .parameters = {"top_p=0.5"}};
  EXPECT_EQ(*library_key(request), *generate_cache_key(CacheableRequest("m", "p")
                                                           .with_temperature(0.7)
                                                           .with_max_tokens(5)
                                                           .with_namespace("n")
                                                           .with_parameter("top_p", 0.5)));
}

TEST(LibraryKeyTest, parameters_that_are_none_are_refused) {
  LibraryRequest request;
  request.model = "m";
  for (const auto* parameter : {"top_p", "=1", "top_p={"}) {
    request.parameters = {parameter};
    EXPECT_FALSE(library_key(request).ok()) << parameter;
  }
}

class ProxiedKeyTest : public ::testing::Test {
 protected:
  ProxiedKeyTest() {
    config_.upstream = "http://127.0.0.1:1";
    config_.scope = "shared";
    request_.body = R"({"model":"m","messages":[]})";
  }

  [[nodiscard]] Result<std::string> key() const { return proxied_key(config_, request_); }

  ServeConfig config_;
  ProxiedRequest request_;
};

TEST_F(ProxiedKeyTest, knows_every_cached_endpoint) {
  std::string last;
  for (const auto* target :
       {"/v1/completions", "/v1/responses", "/v1/messages", "/v1/messages?beta=true"}) {
    request_.target = target;
    const auto found = key();
    ASSERT_TRUE(found.ok()) << target;
    EXPECT_NE(*found, last);
    last = *found;
  }
  request_.target = "/v1/models";
  EXPECT_FALSE(key().ok());
}

TEST_F(ProxiedKeyTest, is_a_line_for_each_element_of_embeddings) {
  request_.target = "/v1/embeddings";
  request_.body = R"({"model":"m","input":["a","b","a"]})";
  const auto keys = key();
  ASSERT_TRUE(keys.ok());
  EXPECT_THAT(*keys, MatchesRegex("[0-9a-f]{64}\n[0-9a-f]{64}"));
  request_.body = R"({"model":"m","input":"a"})";
  EXPECT_TRUE(keys->starts_with(*key()));
  request_.body = R"({"model":"m"})";
  EXPECT_FALSE(key().ok());
}

TEST_F(ProxiedKeyTest, a_request_for_the_provider_alone_has_none) {
  request_.target = "/v1/responses";
  request_.body = R"({"model":"m","input":"a","previous_response_id":"resp_1"})";
  EXPECT_FALSE(key().ok());
}

TEST_F(ProxiedKeyTest, does_not_depend_on_what_cannot_change_the_answer) {
  const auto found = key();
  ASSERT_TRUE(found.ok()) << found.error().message;
  EXPECT_THAT(*found, MatchesRegex("[0-9a-f]{64}"));
  request_.body = R"({ "messages": [], "stream": true, "model": "m" })";
  EXPECT_EQ(*key(), *found);
  request_.name_space = "other";
  EXPECT_NE(*key(), *found);
}

TEST_F(ProxiedKeyTest, depends_on_credential_and_secret) {
  config_.scope = "credential";
  config_.scope_secret = "one secret of tests";
  request_.headers = {"Authorization: Bearer a"};
  const auto alice = key();
  ASSERT_TRUE(alice.ok()) << alice.error().message;
  request_.headers = {"Authorization: Bearer b"};
  EXPECT_NE(*key(), *alice);
  for (const auto* same : {"authorization:Bearer a", "Authorization:  Bearer a \t"}) {
    request_.headers = {same};
    EXPECT_EQ(*key(), *alice) << same;
  }
  config_.scope_secret = "another secret of tests";
  EXPECT_NE(*key(), *alice);
}

TEST_F(ProxiedKeyTest, depends_on_every_option_that_the_proxy_heeds) {
  request_.headers = {"x-version: 1"};
  request_.body = R"({"model":"m","messages":[],"trace":"t"})";
  const auto plain = *key();
  const auto key_with = [&](auto change) {
    auto config = config_;
    change(config);
    return *proxied_key(config, request_);
  };
  EXPECT_NE(key_with([](auto& config) { config.key_headers = "x-version"; }), plain);
  EXPECT_NE(key_with([](auto& config) { config.keyless_members = "trace"; }), plain);
  EXPECT_NE(key_with([](auto& config) {
              config.upstreams = {{.name = "m", .models = {"m"}, .members = {{.url = "http://a"}}}};
            }),
            plain);
}

TEST_F(ProxiedKeyTest, is_of_the_scope_that_the_proxy_gives_the_request) {
  config_.scope = "credential";
  config_.scope_secret = "one secret of tests";
  request_.headers = {"Authorization: Bearer a", "x-user: 1"};
  const auto of_credential = *key();
  config_.credential_headers = "x-user";
  const auto of_both = *key();
  EXPECT_NE(of_both, of_credential);
  config_.scope = "header";
  config_.scope_header = "x-user";
  const auto of_header = *key();
  EXPECT_NE(of_header, of_both);
  request_.headers[0] = "Authorization: Bearer b";
  EXPECT_EQ(*key(), of_header);
  config_.tenants = {{.name = "one", .keys = {sha256("b")}}};
  EXPECT_NE(*key(), of_header);
  request_.headers[0] = "Authorization: Bearer c";
  EXPECT_THAT(key().error().message, HasSubstr("gateway key"));
}

TEST_F(ProxiedKeyTest, a_namespace_is_the_one_of_the_field) {
  request_.name_space = "eval";
  const auto named = *key();
  request_.headers = {"x-llm-cache-namespace: eval"};
  EXPECT_THAT(key().error().message, HasSubstr("more than once"));
  request_.name_space.clear();
  EXPECT_EQ(*key(), named);
}

TEST_F(ProxiedKeyTest, without_a_secret_says_what_to_give) {
  config_.scope = "credential";
  EXPECT_THAT(key().error().message, HasSubstr("--scope-secret-file"));
}

TEST_F(ProxiedKeyTest, what_the_proxy_would_not_key_has_no_key) {
  request_.body = "[]";
  EXPECT_FALSE(key().ok());
  request_.body = "{}";
  request_.headers = {"no colon"};
  EXPECT_THAT(key().error().message, HasSubstr("--header"));
}

}  // namespace
}  // namespace llm_edge_cache::app
