#include "proxy/tenant_options.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/sha256.hpp"

namespace llm_edge_cache::proxy::tenant_options_test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kUrl = "http://a";
constexpr const char* kSecret = "sk-operator";

TenantOptions tenant(const std::string& name) {
  return {.name = name, .keys = {sha256("key of " + name)}};
}

std::string refusal(const std::vector<TenantOptions>& tenants,
                    const std::string& secret = kSecret) {
  const auto status = validate_tenants(tenants, {}, kUrl, secret);
  return status.ok() ? "" : status.error().message;
}

TEST(TenantOptionsTest, tenants_with_names_keys_and_an_upstreams_credential_are_valid) {
  EXPECT_EQ(refusal({tenant("a"), tenant("b")}), "");
  EXPECT_EQ(refusal({}, ""), "");
}

TEST(TenantOptionsTest, an_upstream_without_credential_is_refused_unless_the_tenant_has_one) {
  EXPECT_THAT(refusal({tenant("a")}, ""), AllOf(HasSubstr("'a'"), HasSubstr("'default'")));
  auto with_own = tenant("a");
  with_own.credentials["default"] = "sk-own";
  EXPECT_EQ(refusal({with_own}, ""), "");
}

TEST(TenantOptionsTest, a_tenants_credential_is_not_for_another_providers_member) {
  UpstreamGroup group;
  group.name = "chat";
  group.provider = "openai";
  group.members = {{.url = "http://a"},
                   {.url = "http://b", .provider = "other", .credential = "sk-b"}};
  auto one = tenant("a");
  EXPECT_FALSE(validate_tenants({one}, {group}, "", "").ok());
  one.credentials["chat"] = "sk-own";
  EXPECT_TRUE(validate_tenants({one}, {group}, "", "").ok());
  group.members[1].credential.clear();
  EXPECT_FALSE(validate_tenants({one}, {group}, "", "").ok());
}

TEST(TenantOptionsTest, a_credential_for_no_upstream_is_refused_and_not_repeated) {
  auto one = tenant("a");
  one.credentials["chat"] = "sk-own";
  EXPECT_THAT(refusal({one}), AllOf(HasSubstr("'chat'"), Not(HasSubstr("sk-own"))));
  one.credentials = {{"default", "two words"}};
  EXPECT_THAT(refusal({one}), AllOf(HasSubstr("'default'"), Not(HasSubstr("two words"))));
}

TEST(TenantOptionsTest, names_and_keys_are_given_once) {
  EXPECT_THAT(refusal({tenant("a"), tenant("a")}), HasSubstr("name is given twice"));
  auto other = tenant("b");
  other.keys = tenant("a").keys;
  EXPECT_THAT(refusal({tenant("a"), other}), HasSubstr("key is given twice"));
}

TEST(TenantOptionsTest, only_tenants_that_both_say_so_share_a_namespace) {
  auto one = tenant("a");
  auto other = tenant("b");
  other.name_space = "a";
  EXPECT_THAT(refusal({one, other}), HasSubstr("both must name it"));
  one.name_space = "a";
  EXPECT_EQ(refusal({one, other}), "");
}

TEST(TenantOptionsTest, tenants_that_share_have_one_ttl_cap) {
  auto one = tenant("a");
  auto other = tenant("b");
  one.name_space = other.name_space = "shared";
  one.max_ttl_ms = 1'000;
  EXPECT_THAT(refusal({one, other}), HasSubstr("TTL cap"));
  other.max_ttl_ms = 1'000;
  EXPECT_EQ(refusal({one, other}), "");
}

TEST(TenantOptionsTest, what_is_out_of_bounds_is_named) {
  EXPECT_THAT(refusal({tenant("no spaces")}), HasSubstr("letters, digits"));
  EXPECT_THAT(refusal({TenantOptions{.name = "a", .keys = {}}}), HasSubstr("keys"));
  auto one = tenant("a");
  one.rate.burst = 0;
  EXPECT_THAT(refusal({one}), HasSubstr("burst"));
  one = tenant("a");
  one.max_ttl_ms = 0;
  EXPECT_THAT(refusal({one}), HasSubstr("max_ttl_ms"));
}

}  // namespace
}  // namespace llm_edge_cache::proxy::tenant_options_test
