#include "serve/config_warnings.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace llm_edge_cache::app::config_warnings_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(ConfigWarningsTest, defaults_are_meant) {
  EXPECT_THAT(warnings_of({}), IsEmpty());
}

TEST(ConfigWarningsTest, stale_answers_that_memory_forgets_are_warned_of) {
  ServeConfig config;
  config.stale_if_error_seconds = 121;
  EXPECT_THAT(warnings_of(config), ElementsAre(HasSubstr("served stale for 121 s")));
  config.l1_tti_seconds = 121;
  EXPECT_THAT(warnings_of(config), IsEmpty());
  config.l1_tti_seconds = 120;
  config.l2 = "redis://127.0.0.1";
  EXPECT_THAT(warnings_of(config), IsEmpty());
}

TEST(ConfigWarningsTest, pages_of_all_the_world_that_somebody_else_pays_for_are_warned_of) {
  ServeConfig config;
  config.cors_origins = "*";
  EXPECT_THAT(warnings_of(config), IsEmpty());
  config.upstream_credential = "secret";
  EXPECT_THAT(warnings_of(config), ElementsAre(HasSubstr("--cors-origins *")));
  config.cors_origins = "https://app.example";
  EXPECT_THAT(warnings_of(config), IsEmpty());
  config.cors_origins = "*";
  config.tenants.resize(1);
  EXPECT_THAT(warnings_of(config), IsEmpty());
}

ServeConfig with_credential_limits() {
  ServeConfig config;
  config.credential_max_concurrent = 4;
  return config;
}

TEST(ConfigWarningsTest, limits_of_credentials_that_nobody_vouches_for_are_warned_of) {
  auto config = with_credential_limits();
  EXPECT_THAT(warnings_of(config), IsEmpty());
  config.upstream_credential = "secret";
  EXPECT_THAT(warnings_of(config), ElementsAre(HasSubstr("credential_limits bound nobody")));
  config.tenants.resize(1);  // whoever is unknown is refused
  EXPECT_THAT(warnings_of(config), IsEmpty());
  config.unknown_keys = "pass";
  EXPECT_THAT(warnings_of(config), ElementsAre(HasSubstr("credential_limits bound nobody")));
}

TEST(ConfigWarningsTest, a_group_with_a_credential_of_its_own_counts_likewise) {
  auto config = with_credential_limits();
  config.upstreams.resize(1);
  config.upstreams[0].members = {{.url = "http://127.0.0.1:1"}};
  EXPECT_THAT(warnings_of(config), IsEmpty());
  config.upstreams[0].members[0].credential = "secret";
  EXPECT_THAT(warnings_of(config), ElementsAre(HasSubstr("credential_limits bound nobody")));
}

TEST(ConfigWarningsTest, groups_that_never_replace_a_silent_member_are_warned_of) {
  ServeConfig config;
  config.upstream_retry_deadline_ms = config.upstream_first_byte_timeout_ms;
  config.upstreams.resize(1);
  config.upstreams[0].members.resize(1);
  EXPECT_THAT(warnings_of(config), IsEmpty());
  config.upstreams[0].members.resize(2);
  EXPECT_THAT(warnings_of(config), ElementsAre(HasSubstr("keeps silent")));
  config.upstream_first_byte_timeout_ms -= 1;
  EXPECT_THAT(warnings_of(config), IsEmpty());
}

}  // namespace
}  // namespace llm_edge_cache::app::config_warnings_test
