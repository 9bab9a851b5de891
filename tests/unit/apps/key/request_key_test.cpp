#include "key/request_key.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

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
    request_.upstream = "http://127.0.0.1:1";
    request_.scope = "shared";
    request_.body = R"({"model":"m","messages":[]})";
  }
  ~ProxiedKeyTest() override { ::unsetenv("LLM_EDGE_CACHE_SCOPE_SECRET"); }

  ProxiedRequest request_;
};

TEST_F(ProxiedKeyTest, knows_every_cached_endpoint) {
  std::string last;
  for (const auto* target :
       {"/v1/completions", "/v1/responses", "/v1/messages", "/v1/messages?beta=true"}) {
    request_.target = target;
    const auto key = proxied_key(request_);
    ASSERT_TRUE(key.ok()) << target;
    EXPECT_NE(*key, last);
    last = *key;
  }
  request_.target = "/v1/models";
  EXPECT_FALSE(proxied_key(request_).ok());
}

TEST_F(ProxiedKeyTest, is_a_line_for_each_element_of_embeddings) {
  request_.target = "/v1/embeddings";
  request_.body = R"({"model":"m","input":["a","b","a"]})";
  const auto keys = proxied_key(request_);
  ASSERT_TRUE(keys.ok());
  EXPECT_THAT(*keys, MatchesRegex("[0-9a-f]{64}\n[0-9a-f]{64}"));
  request_.body = R"({"model":"m","input":"a"})";
  EXPECT_TRUE(keys->starts_with(*proxied_key(request_)));
  request_.body = R"({"model":"m"})";
  EXPECT_FALSE(proxied_key(request_).ok());
}

TEST_F(ProxiedKeyTest, a_request_for_the_provider_alone_has_none) {
  request_.target = "/v1/responses";
  request_.body = R"({"model":"m","input":"a","previous_response_id":"resp_1"})";
  EXPECT_FALSE(proxied_key(request_).ok());
}

TEST_F(ProxiedKeyTest, does_not_depend_on_what_cannot_change_the_answer) {
  const auto key = proxied_key(request_);
  ASSERT_TRUE(key.ok()) << key.error().message;
  EXPECT_THAT(*key, MatchesRegex("[0-9a-f]{64}"));
  request_.body = R"({ "messages": [], "stream": true, "model": "m" })";
  EXPECT_EQ(*proxied_key(request_), *key);
  request_.name_space = "other";
  EXPECT_NE(*proxied_key(request_), *key);
}

TEST_F(ProxiedKeyTest, depends_on_credential_and_secret) {
  request_.scope = "credential";
  request_.headers = {"Authorization: Bearer a"};
  ::setenv("LLM_EDGE_CACHE_SCOPE_SECRET", "one secret of tests", 1);
  const auto alice = proxied_key(request_);
  ASSERT_TRUE(alice.ok()) << alice.error().message;
  request_.headers = {"Authorization: Bearer b"};
  EXPECT_NE(*proxied_key(request_), *alice);
  request_.headers = {"authorization:Bearer a"};
  EXPECT_EQ(*proxied_key(request_), *alice);
  ::setenv("LLM_EDGE_CACHE_SCOPE_SECRET", "another secret of tests", 1);
  EXPECT_NE(*proxied_key(request_), *alice);
}

TEST_F(ProxiedKeyTest, without_a_secret_says_what_to_give) {
  ::setenv("XDG_STATE_HOME", "/nonexistent", 1);
  request_.scope = "credential";
  EXPECT_THAT(proxied_key(request_).error().message, HasSubstr("--scope-secret-file"));
  ::unsetenv("XDG_STATE_HOME");
}

TEST_F(ProxiedKeyTest, what_the_proxy_would_not_key_has_no_key) {
  request_.body = "[]";
  EXPECT_FALSE(proxied_key(request_).ok());
  request_.body = "{}";
  request_.headers = {"no colon"};
  EXPECT_THAT(proxied_key(request_).error().message, HasSubstr("--header"));
  request_.headers = {};
  request_.upstream = "ftp://x";
  EXPECT_FALSE(proxied_key(request_).ok());
}

}  // namespace
}  // namespace llm_edge_cache::app
