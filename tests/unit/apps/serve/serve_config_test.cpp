#include "serve/serve_config.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

namespace llm_edge_cache::app {
namespace {

TEST(ServeConfigTest, seconds_become_milliseconds) {
  ServeConfig config;
  config.l1_capacity = 5;
  config.l1_ttl_seconds = 7;
  config.l1_tti_seconds = 0;
  config.l2_ttl_seconds = 9;
  EXPECT_EQ(config.l1_config().max_entries, 5U);
  EXPECT_EQ(config.l1_config().ttl_ms, 7'000U);
  EXPECT_EQ(config.l1_config().tti_ms, 0U);
  EXPECT_EQ(config.l2_config().ttl_ms, 9'000U);
}

TEST(ServeConfigTest, deadlines_and_limits_reach_server_and_client) {
  ServeConfig config;
  config.header_timeout_ms = 11;
  config.max_body_bytes = 4'096;
  config.drain_timeout_ms = 13;
  config.upstream_first_byte_timeout_ms = 17;
  config.upstream_ca_file = "ca.pem";
  EXPECT_EQ(config.server_options().header_timeout_ms, 11);
  EXPECT_EQ(config.server_options().max_body_bytes, 4'096U);
  EXPECT_EQ(config.server_options().drain_timeout_ms, 13);
  EXPECT_EQ(config.client_options().first_byte_timeout_ms, 17);
  EXPECT_EQ(config.client_options().tls.extra_ca_file, "ca.pem");
}

TEST(ServeConfigTest, a_folder_is_taken_as_it_is_but_for_the_home_folder) {
  ServeConfig config;
  config.l2 = "disk:relative/~/x";
  EXPECT_TRUE(config.has_l2());
  EXPECT_TRUE(config.has_disk_l2());
  EXPECT_EQ(config.l2_config().url, "disk:relative/~/x");
  config.l2 = "disk:~/x";
  const char* home = std::getenv("HOME");
  ASSERT_NE(home, nullptr);
  EXPECT_EQ(config.l2_config().url, "disk:" + std::string(home) + "/x");
}

TEST(ServeConfigTest, bounds_of_the_folder_reach_the_tier) {
  ServeConfig config;
  config.l2_max_bytes = 1ULL << 40U;
  config.l2_cache_bytes = 5U << 20U;
  EXPECT_EQ(config.l2_config().disk_max_bytes, 1ULL << 40U);
  EXPECT_EQ(config.l2_config().disk_cache_bytes, 5U << 20U);
}

TEST(ServeConfigTest, a_folder_that_is_a_file_is_refused) {
  ServeConfig config;
  config.upstream = "http://127.0.0.1:1";
  config.l2 = "disk:/dev/null";
  const auto status = config.validate();
  ASSERT_FALSE(status.ok());
  EXPECT_NE(status.error().message.find("--l2: disk: '/dev/null' is not a folder"),
            std::string::npos);
}

TEST(ServeConfigTest, the_defaults_satisfy_those_who_use_them) {
  const ServeConfig config;
  EXPECT_TRUE(config.l1_config().validate().ok());
  EXPECT_TRUE(config.server_options().validate().ok());
  EXPECT_TRUE(config.client_options().validate().ok());
}

}  // namespace
}  // namespace llm_edge_cache::app
