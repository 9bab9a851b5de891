#include "serve/tenants_layer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

#include <cstdlib>

#include "base/sha256.hpp"
#include "tenant/gateway_key.hpp"

namespace llm_edge_cache::app::tenants_layer_test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

const std::string kHash = gateway_key_hash("a key");

class TenantsLayerTest : public ::testing::Test {
 protected:
  TenantsLayerTest() { ::setenv("TENANTS_LAYER_TEST_KEY", "s3cret", /*overwrite=*/1); }
  ~TenantsLayerTest() override { ::unsetenv("TENANTS_LAYER_TEST_KEY"); }

  static Result<std::vector<proxy::TenantOptions>> read(const std::string& yaml) {
    return read_tenants(YAML::Load(yaml), "proxy.yaml");
  }
  // Of a tenant that is fine but for these lines.
  static std::string refusal(const std::string& lines) {
    const auto tenants = read("- name: a\n  keys: ['" + kHash + "']\n" + lines);
    return tenants.ok() ? "" : tenants.error().message;
  }
};

TEST_F(TenantsLayerTest, reads_all_that_a_tenant_can_have) {
  const auto tenants = read("- name: team-a\n  keys: ['" + kHash +
                            "']\n  namespace: shared\n  ttl_max_seconds: 60\n"
                            "  requests_per_second: 2.5\n  burst: 10\n  max_concurrent: 4\n"
                            "  credentials:\n    default: TENANTS_LAYER_TEST_KEY\n"
                            "- name: team-b\n  keys: ['" +
                            kHash + "']\n");
  ASSERT_TRUE(tenants.ok()) << tenants.error().message;
  ASSERT_EQ(tenants->size(), 2U);
  EXPECT_EQ((*tenants)[0], (proxy::TenantOptions{.name = "team-a",
                                                 .keys = {sha256("a key")},
                                                 .name_space = "shared",
                                                 .max_ttl_ms = 60'000,
                                                 .rate = {.per_1000_s = 2'500, .burst = 10},
                                                 .max_concurrent = 4,
                                                 .credentials = {{"default", "s3cret"}}}));
  EXPECT_EQ((*tenants)[1], (proxy::TenantOptions{.name = "team-b", .keys = {sha256("a key")}}));
}

TEST_F(TenantsLayerTest, a_rate_without_burst_may_come_in_a_second_at_once) {
  const auto burst = [](const std::string& rate) {
    return read("- {name: a, keys: ['" + kHash + "'], requests_per_second: " + rate + "}")
        ->front()
        .rate.burst;
  };
  EXPECT_EQ(burst("20"), 20U);
  EXPECT_EQ(burst("0.5"), 1U);
}

TEST_F(TenantsLayerTest, an_error_says_file_line_and_key) {
  EXPECT_EQ(refusal("  rate: 3\n"), "proxy.yaml:3: tenants[1]: unknown key 'rate'");
  EXPECT_THAT(refusal("  burst: 0\n"), HasSubstr("proxy.yaml:3: tenants[1].burst: '0' is not"));
  EXPECT_THAT(refusal("  requests_per_second: -1\n"), HasSubstr("tenants[1].requests_per_second"));
  EXPECT_THAT(refusal("  name: b\n"), HasSubstr("tenants[1].name is given twice"));
  EXPECT_THAT(refusal("  credentials:\n    default: NO_SUCH_VARIABLE\n"),
              HasSubstr("proxy.yaml:4: tenants[1].credentials.default: the environment has no "
                        "NO_SUCH_VARIABLE"));
  EXPECT_THAT(read("- keys: ['" + kHash + "']").error().message, HasSubstr(".name is missing"));
  EXPECT_THAT(read("- name: a").error().message, HasSubstr(".keys is missing"));
  EXPECT_THAT(read("a: b").error().message, HasSubstr("'tenants' must be a list"));
}

TEST_F(TenantsLayerTest, a_credential_that_stands_in_place_of_its_variable_is_not_repeated) {
  EXPECT_THAT(refusal("  credentials:\n    default: sk-live-0123\n"),
              AllOf(HasSubstr("proxy.yaml:4: tenants[1].credentials.default: this is not the name "
                              "of a variable"),
                    Not(HasSubstr("sk-live"))));
}

TEST_F(TenantsLayerTest, a_key_that_stands_there_unhashed_is_refused_and_not_repeated) {
  const auto tenants = read("- name: a\n  keys: [lec_0123456789]\n");
  ASSERT_FALSE(tenants.ok());
  EXPECT_THAT(tenants.error().message,
              AllOf(HasSubstr("tenants[1].keys[1] must be sha256:"), Not(HasSubstr("lec_0123"))));
}

TEST(GatewayKeyTest, keys_are_never_the_same_and_their_hash_is_what_the_configuration_reads) {
  const auto key = make_gateway_key();
  EXPECT_EQ(key.size(), 4U + 64U);
  EXPECT_NE(key, make_gateway_key());
  const auto tenants = read_tenants(
      YAML::Load("- {name: a, keys: ['" + gateway_key_hash(key) + "']}"), "proxy.yaml");
  ASSERT_TRUE(tenants.ok());
  EXPECT_EQ(tenants->front().keys.front(), sha256(key));
}

}  // namespace
}  // namespace llm_edge_cache::app::tenants_layer_test
