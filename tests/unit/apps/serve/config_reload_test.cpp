#include "serve/config_reload.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace llm_edge_cache::app::config_reload_test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(ConfigReloadTest, takes_rules_and_tenants_over_and_leaves_the_rest) {
  ServeConfig running;
  ServeConfig fresh;
  fresh.rules.push_back({.rule = {.model = "m"}, .origin = "proxy.yaml:1"});
  fresh.tenants.push_back({.name = "a", .keys = {}});
  fresh.unknown_keys = "pass";
  fresh.cors_origins = "https://app.example";
  fresh.credential_requests_per_second = "2";
  fresh.credential_burst = 3;
  fresh.credential_max_concurrent = 4;
  fresh.l1_capacity = 5;
  const auto config = reloaded_config(running, fresh);
  EXPECT_EQ(config.rules.size(), 1U);
  EXPECT_EQ(config.tenants.size(), 1U);
  EXPECT_EQ(config.unknown_keys, "pass");
  EXPECT_EQ(config.cors_origins, "https://app.example");
  EXPECT_EQ(config.credential_limits(), fresh.credential_limits());
  EXPECT_EQ(config.l1_capacity, running.l1_capacity);
  EXPECT_THAT(waiting_for_restart(running, fresh), ElementsAre("--l1-capacity"));
}

TEST(ConfigReloadTest, certificates_are_taken_over_where_there_was_one) {
  ServeConfig running;
  running.tls_cert = running.tls_key = "old.pem";
  ServeConfig fresh = running;
  fresh.tls_cert = fresh.tls_key = "new.pem";
  EXPECT_EQ(reloaded_config(running, fresh).tls_cert, "new.pem");
  EXPECT_THAT(waiting_for_restart(running, fresh), IsEmpty());
}

TEST(ConfigReloadTest, a_listener_becomes_neither_plain_nor_tls) {
  ServeConfig plain;
  ServeConfig tls;
  tls.tls_cert = tls.tls_key = "new.pem";
  EXPECT_EQ(reloaded_config(plain, tls).tls_cert, "");
  EXPECT_EQ(reloaded_config(tls, plain).tls_cert, "new.pem");
  EXPECT_THAT(waiting_for_restart(plain, tls), ElementsAre("--tls-cert", "--tls-key"));
}

TEST(ConfigReloadTest, other_upstreams_wait_for_a_restart) {
  ServeConfig running;
  ServeConfig fresh;
  fresh.upstreams.push_back({.name = "a", .members = {}});
  EXPECT_TRUE(reloaded_config(running, fresh).upstreams.empty());
  EXPECT_THAT(waiting_for_restart(running, fresh), ElementsAre("upstreams"));
}

ServeConfig with_rule_of_window(std::uint64_t stale_ms) {
  ServeConfig config;
  config.l2 = "redis://127.0.0.1";
  config.stale_if_error_seconds = 60;
  config.rules = {{.rule = {.stale_if_error_ms = stale_ms}, .origin = "proxy.yaml:1"}};
  return config;
}

TEST(ConfigReloadTest, windows_that_the_store_does_not_keep_answers_for_wait_for_a_restart) {
  auto started = with_rule_of_window(0);
  const auto longer = with_rule_of_window(61'000);
  EXPECT_THAT(waiting_for_restart(started, longer),
              ElementsAre("rules (--l2 keeps what is stale for 60 s)"));
  EXPECT_THAT(waiting_for_restart(started, with_rule_of_window(60'000)), IsEmpty());
  EXPECT_THAT(waiting_for_restart(longer, started), IsEmpty());
  started.l2 = "none";
  EXPECT_THAT(waiting_for_restart(started, longer), ElementsAre("--l2"));
}

TEST(ConfigReloadTest, windows_of_flags_are_named_by_their_flags_alone) {
  auto fresh = with_rule_of_window(0);
  fresh.stale_while_revalidate_seconds = 600;
  EXPECT_THAT(waiting_for_restart(with_rule_of_window(0), fresh),
              ElementsAre("--stale-while-revalidate-seconds"));
}

}  // namespace
}  // namespace llm_edge_cache::app::config_reload_test
