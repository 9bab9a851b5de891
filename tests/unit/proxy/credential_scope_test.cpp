#include "proxy/credential_scope.hpp"

#include <gtest/gtest.h>

namespace llm_edge_cache::proxy {
namespace {

ProxyOptions options_with_secret(std::string secret) {
  ProxyOptions options;
  options.scope_secret = std::move(secret);
  return options;
}

KeyDigest scope_of(const http::Headers& headers, std::string secret = "secret") {
  return CredentialScope(options_with_secret(std::move(secret))).scope_of(headers);
}

TEST(CredentialScopeTest, the_same_credential_has_the_same_scope) {
  EXPECT_EQ(scope_of({{"Authorization", "Bearer a"}}), scope_of({{"authorization", "Bearer a"}}));
}

TEST(CredentialScopeTest, credentials_that_differ_have_scopes_that_differ) {
  EXPECT_NE(scope_of({{"authorization", "Bearer a"}}), scope_of({{"authorization", "Bearer b"}}));
}

TEST(CredentialScopeTest, the_field_that_carries_a_credential_counts) {
  EXPECT_NE(scope_of({{"x-api-key", "a"}}), scope_of({{"api-key", "a"}}));
}

TEST(CredentialScopeTest, all_credentials_of_a_request_count) {
  const auto both = scope_of({{"authorization", "a"}, {"x-api-key", "b"}});
  EXPECT_NE(both, scope_of({{"authorization", "a"}}));
  EXPECT_NE(both, scope_of({{"x-api-key", "b"}}));
}

TEST(CredentialScopeTest, a_repeated_field_is_not_its_first_value_alone) {
  EXPECT_NE(scope_of({{"authorization", "a"}, {"authorization", "b"}}),
            scope_of({{"authorization", "a"}}));
  EXPECT_NE(scope_of({{"authorization", "ab"}}),
            scope_of({{"authorization", "a"}, {"authorization", "b"}}));
}

TEST(CredentialScopeTest, nobody_is_a_scope_of_its_own) {
  EXPECT_EQ(scope_of({}), scope_of({{"accept", "x"}}));
  EXPECT_NE(scope_of({}), scope_of({{"authorization", ""}}));
  EXPECT_NE(scope_of({}), KeyDigest{});
}

TEST(CredentialScopeTest, a_credential_that_stays_on_this_hop_is_nobodys) {
  EXPECT_EQ(scope_of({{"authorization", "a"}, {"connection", "close, Authorization"}}),
            scope_of({}));
  EXPECT_EQ(scope_of({{"authorization", "a"}, {"connection", "x-api-key"}}),
            scope_of({{"authorization", "a"}}));
}

TEST(CredentialScopeTest, another_secret_makes_another_scope) {
  EXPECT_NE(scope_of({{"authorization", "a"}}, "one"), scope_of({{"authorization", "a"}}, "two"));
}

TEST(CredentialScopeTest, where_a_scope_has_one_credential_nothing_within_it_is_told_apart) {
  const CredentialScope scope(options_with_secret("secret"));
  EXPECT_EQ(scope.credentials_within_scope({{"authorization", "a"}}), KeyDigest{});
}

TEST(CredentialScopeTest, those_who_share_a_scope_are_told_apart_within_it) {
  auto options = options_with_secret("secret");
  options.scope = ScopeMode::kShared;
  const CredentialScope scope(options);
  const auto of = [&](const http::Headers& headers) {
    return scope.credentials_within_scope(headers);
  };
  EXPECT_EQ(of({{"authorization", "a"}}), of({{"authorization", "a"}, {"accept", "x"}}));
  EXPECT_NE(of({{"authorization", "a"}}), of({{"authorization", "b"}}));
  EXPECT_NE(of({{"authorization", "a"}}), of({}));
  EXPECT_NE(of({}), KeyDigest{});
}

CredentialScope scope_by_team() {
  auto options = options_with_secret("secret");
  options.scope = ScopeMode::kHeader;
  options.scope_header = "x-team";
  return CredentialScope(options);
}

TEST(CredentialScopeTest, in_header_mode_the_header_is_the_scope_whatever_the_credential) {
  const auto scope = scope_by_team();
  const auto of = [&](const http::Headers& headers) { return scope.scope_of(headers); };
  const auto one = of({{"x-team", "one"}, {"authorization", "a"}});
  EXPECT_EQ(of({{"X-Team", "one"}, {"authorization", "b"}}), one);
  EXPECT_NE(of({{"x-team", "two"}, {"authorization", "a"}}), one);
  EXPECT_NE(of({{"x-team", "one"}, {"x-team", "two"}}), one);
  EXPECT_NE(of({{"x-team", ""}}), of({}));
}

TEST(CredentialScopeTest, in_header_mode_a_request_without_it_has_the_scope_of_its_credential) {
  const auto scope = scope_by_team();
  EXPECT_EQ(scope.scope_of({{"authorization", "a"}}), scope_of({{"authorization", "a"}}));
  EXPECT_NE(scope.scope_of({{"authorization", "a"}}), scope.scope_of({{"authorization", "b"}}));
  EXPECT_NE(scope.scope_of({{"authorization", "a"}}), scope.scope_of({{"x-team", "a"}}));
}

TEST(CredentialScopeTest, in_header_mode_credentials_are_told_apart_within_the_scope) {
  const auto scope = scope_by_team();
  EXPECT_NE(scope.credentials_within_scope({{"x-team", "one"}, {"authorization", "a"}}),
            scope.credentials_within_scope({{"x-team", "one"}, {"authorization", "b"}}));
}

TEST(CredentialScopeTest, shared_mode_knows_one_scope) {
  ProxyOptions options;
  options.scope = ScopeMode::kShared;
  const CredentialScope scope(options);
  EXPECT_EQ(scope.scope_of({{"authorization", "a"}}), scope.scope_of({}));
  EXPECT_NE(scope.scope_of({}), scope_of({}));
}

}  // namespace
}  // namespace llm_edge_cache::proxy
