#include "proxy/proxy_options.hpp"

#include <gtest/gtest.h>

namespace llm_edge_cache::proxy {
namespace {

ProxyOptions valid() {
  ProxyOptions options;
  options.upstream_url = "https://api.example.com";
  return options;
}

std::string fault_of(const ProxyOptions& options) {
  const auto status = options.validate();
  return status.ok() ? "" : status.error().message;
}

TEST(ProxyOptionsTest, the_defaults_need_an_upstream_alone) {
  EXPECT_EQ(fault_of(valid()), "");
  EXPECT_TRUE(fault_of({}).starts_with("upstream_url"));
}

TEST(ProxyOptionsTest, names_the_field_that_is_wrong) {
  auto options = valid();
  options.ttl_ms = 0;
  EXPECT_TRUE(fault_of(options).starts_with("ttl_ms"));
  options = valid();
  options.max_entry_bytes = 0;
  EXPECT_TRUE(fault_of(options).starts_with("max_entry_bytes"));
  options = valid();
  options.max_request_bytes = 0;
  EXPECT_TRUE(fault_of(options).starts_with("max_request_bytes"));
}

TEST(ProxyOptionsTest, an_operator_pays_for_whoever_needs_no_key_of_a_tenant) {
  auto options = valid();
  EXPECT_FALSE(options.pays_for_the_unknown());
  options.upstream_credential = "sk-1";
  EXPECT_TRUE(options.pays_for_the_unknown());
  options.tenants.emplace_back().name = "one";
  EXPECT_FALSE(options.pays_for_the_unknown());
  options.admission.unknown_keys = UnknownKeys::kPass;
  EXPECT_TRUE(options.pays_for_the_unknown());
  options.upstream_credential.clear();
  EXPECT_FALSE(options.pays_for_the_unknown());
  UpstreamGroup group;
  group.members = {{.url = "https://a.example"},
                   {.url = "https://b.example", .credential = "sk-2"}};
  options.upstreams = {group};
  EXPECT_TRUE(options.pays_for_the_unknown());
}

TEST(ProxyOptionsTest, origins_are_such_as_browsers_send) {
  auto options = valid();
  options.cors_origins = {"https://app.example", "https://app.example/"};
  EXPECT_TRUE(fault_of(options).starts_with("cors_origins: 'https://app.example/' is no origin"));
  options.cors_origins.pop_back();
  EXPECT_EQ(fault_of(options), "");
}

TEST(ProxyOptionsTest, a_credential_is_such_as_a_header_can_carry) {
  auto options = valid();
  options.upstream_credential = "sk-live~!";
  EXPECT_EQ(fault_of(options), "");
  for (const auto* credential : {"sk-live\n", "sk live", "sk-live\x7f", "\x80"}) {
    options.upstream_credential = credential;
    EXPECT_EQ(fault_of(options), "upstream_credential has bytes that no header field can carry");
  }
}

TEST(ProxyOptionsTest, scopes_need_credentials_to_tell_them_by) {
  auto options = valid();
  options.credential_headers.clear();
  EXPECT_TRUE(fault_of(options).starts_with("credential_headers"));
  options.scope = ScopeMode::kShared;
  EXPECT_EQ(fault_of(options), "");
}

TEST(ProxyOptionsTest, names_of_fields_are_names_that_a_request_can_have) {
  for (const auto* name : {"", "x y", "x:y", "x\n"}) {
    auto options = valid();
    options.key_headers.emplace_back(name);
    EXPECT_EQ(fault_of(options), "key_headers: '" + std::string(name) + "' names no header field");
    options = valid();
    options.credential_headers.emplace_back(name);
    EXPECT_EQ(fault_of(options),
              "credential_headers: '" + std::string(name) + "' names no header field");
    options = valid();
    options.scope = ScopeMode::kHeader;
    options.scope_header = name;
    EXPECT_TRUE(fault_of(options).starts_with("scope_header")) << name;
  }
}

}  // namespace
}  // namespace llm_edge_cache::proxy
