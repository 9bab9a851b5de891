#include "proxy/cors_policy.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace llm_edge_cache::proxy {
namespace {

using ::testing::HasSubstr;

http::RequestHead from(const std::string& origin) {
  http::RequestHead head;
  head.headers.add("Origin", origin);
  return head;
}

std::string said_to(const CorsPolicy& policy, const http::RequestHead* head) {
  const auto fields = policy.fields_for(head);
  if (fields == nullptr) return "nothing";
  EXPECT_TRUE(fields->lines.is_sendable());
  EXPECT_EQ(fields->replaces, "access-control-");
  return std::string(fields->lines.text());
}

std::string said_to(const CorsPolicy& policy, const std::string& origin) {
  const auto head = from(origin);
  return said_to(policy, &head);
}

constexpr auto kUnnamed = "Vary: Origin\r\n";

TEST(CorsPolicyTest, without_origins_nothing_is_said_and_nobody_is_let_in) {
  const CorsPolicy policy({});
  EXPECT_FALSE(policy.is_on());
  EXPECT_FALSE(policy.allows("https://a.example"));
  EXPECT_EQ(said_to(policy, "https://a.example"), "nothing");
  EXPECT_EQ(said_to(policy, nullptr), "nothing");
}

TEST(CorsPolicyTest, each_origin_is_told_its_own_name_and_no_other) {
  const CorsPolicy policy({"https://a.example", "http://localhost:5173"});
  EXPECT_TRUE(policy.is_on());
  EXPECT_EQ(said_to(policy, "https://a.example"),
            "Access-Control-Allow-Origin: https://a.example\r\n"
            "Access-Control-Expose-Headers: *\r\nVary: Origin\r\n");
  EXPECT_THAT(said_to(policy, "http://localhost:5173"),
              HasSubstr("Allow-Origin: http://localhost:5173\r\n"));
  for (const auto* other :
       {"https://b.example", "http://a.example", "https://a.example:8443", "https://A.example",
        "https://a.example.evil", "https://a.example/", "null", "", "*"}) {
    EXPECT_EQ(said_to(policy, other), kUnnamed) << other;
    EXPECT_FALSE(policy.allows(other)) << other;
  }
}

TEST(CorsPolicyTest, whoever_has_no_origin_is_told_that_it_matters) {
  const CorsPolicy policy({"https://a.example"});
  const http::RequestHead without;
  EXPECT_EQ(said_to(policy, &without), kUnnamed);
  EXPECT_EQ(said_to(policy, nullptr), kUnnamed);
}

TEST(CorsPolicyTest, a_star_says_the_same_to_everybody_and_never_lets_credentials_in) {
  const CorsPolicy policy({"*"});
  constexpr auto kEverybody =
      "Access-Control-Allow-Origin: *\r\nAccess-Control-Expose-Headers: *\r\n";
  const http::RequestHead without;
  EXPECT_EQ(said_to(policy, "https://a.example"), kEverybody);
  EXPECT_EQ(said_to(policy, "null"), kEverybody);
  EXPECT_EQ(said_to(policy, &without), kEverybody);
  EXPECT_EQ(said_to(policy, nullptr), kEverybody);
  EXPECT_TRUE(policy.allows("null"));
}

TEST(CorsPolicyTest, where_nobody_is_let_in_every_word_of_a_provider_goes_and_none_comes) {
  const CorsPolicy policy({}, CorsPolicy::Unnamed::kNobody);
  EXPECT_TRUE(policy.is_on());
  EXPECT_FALSE(policy.allows("https://a.example"));
  EXPECT_EQ(said_to(policy, "https://a.example"), "");
  EXPECT_EQ(policy.fields_for(nullptr)->replaces, "access-control-");
  EXPECT_FALSE(CorsPolicy({}).is_on());
}

TEST(CorsPolicyTest, only_an_origin_that_is_vouched_for_does_not_go_up) {
  const CorsPolicy policy({"https://a.example"});
  auto vouched = from("https://a.example").headers;
  policy.strip_vouched(vouched);
  EXPECT_FALSE(vouched.contains("origin"));
  auto other = from("https://b.example").headers;
  policy.strip_vouched(other);
  EXPECT_EQ(other.get("origin"), "https://b.example");
  CorsPolicy({}).strip_vouched(other);
  EXPECT_TRUE(other.contains("origin"));
  CorsPolicy({"*"}).strip_vouched(other);
  EXPECT_FALSE(other.contains("origin"));
}

TEST(CorsPolicyTest, origins_are_taken_as_browsers_write_them) {
  EXPECT_TRUE(CorsPolicy::validate({}).ok());
  EXPECT_TRUE(CorsPolicy::validate({"*"}).ok());
  for (const auto* origin :
       {"https://a.example", "http://localhost:3000", "http://127.0.0.1:8000", "http://[::1]:3000",
        "http://[2001:db8::1]", "https://xn--bcher-kva.example", "https://a_b.example",
        "chrome-extension://abcdefghijklmnop", "capacitor://localhost", "app://obsidian.md",
        "https://a.example:80", "http://a.example:443", "https://a.example:65535"}) {
    EXPECT_TRUE(CorsPolicy::validate({origin}).ok()) << origin;
  }
}

TEST(CorsPolicyTest, what_no_browser_sends_is_refused_with_the_reason) {
  const auto flaw = [](const std::string& origin) {
    const auto status = CorsPolicy::validate({"https://fine.example", origin});
    return status.ok() ? "none" : status.error().message;
  };
  EXPECT_EQ(flaw("https://A.example"),
            "'https://A.example' is no origin: browsers write it in lower case");
  EXPECT_THAT(flaw("*"), HasSubstr("'*' alone"));
  EXPECT_THAT(flaw("null"), HasSubstr("it must be SCHEME://HOST[:PORT]"));
  EXPECT_THAT(flaw("a.example"), HasSubstr("it must be SCHEME://HOST[:PORT]"));
  EXPECT_THAT(flaw("://a.example"), HasSubstr("its scheme is none"));
  EXPECT_THAT(flaw("1a://a.example"), HasSubstr("its scheme is none"));
  EXPECT_THAT(flaw("https://"), HasSubstr("it has no host"));
  EXPECT_THAT(flaw("https://:443"), HasSubstr("it has no host"));
  EXPECT_THAT(flaw("http://[::1"), HasSubstr("it has no host"));
  for (const auto* origin : {"https://a.example/", "https://a.example/app", "https://u@a.example",
                             "https://a.example?x", "https://a.example#x"}) {
    EXPECT_THAT(flaw(origin), HasSubstr("nothing goes before or after")) << origin;
  }
  EXPECT_THAT(flaw("https://*.example"), HasSubstr("each origin must be named"));
  for (const auto* origin : {"https://b\xc3\xbc"
                             "cher.example",
                             "https://a example", "https://a\r\n.example", "http://[::g]"}) {
    EXPECT_THAT(flaw(origin), HasSubstr("its host has other characters")) << origin;
  }
  for (const auto* origin : {"https://a.example:", "https://a.example:0", "https://a.example:08",
                             "https://a.example:65536", "https://a.example:x", "http://[::1]3000",
                             "https://a.example:-1"}) {
    EXPECT_THAT(flaw(origin), HasSubstr("its port is none")) << origin;
  }
  EXPECT_THAT(flaw("https://a.example:443"), HasSubstr("leave the port of the scheme out"));
  EXPECT_THAT(flaw("http://a.example:80"), HasSubstr("leave the port of the scheme out"));
}

TEST(CorsPolicyTest, a_preflight_is_options_with_an_origin_and_the_method_it_is_about) {
  auto head = from("https://a.example");
  head.method = "OPTIONS";
  EXPECT_FALSE(is_preflight(head));
  head.headers.add("access-control-request-method", "POST");
  EXPECT_TRUE(is_preflight(head));
  head.method = "POST";
  EXPECT_FALSE(is_preflight(head));
  head.method = "OPTIONS";
  head.headers.erase("origin");
  EXPECT_FALSE(is_preflight(head));
}

}  // namespace
}  // namespace llm_edge_cache::proxy
