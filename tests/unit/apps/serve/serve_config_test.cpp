#include "serve/serve_config.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "tests/support/temp_dir.hpp"

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

TEST(ServeConfigTest, limits_of_credentials_are_off_until_they_are_set) {
  ServeConfig config;
  EXPECT_FALSE(config.proxy_options({}).admission.credentials.any());
  config.credential_requests_per_second = "2.5";
  EXPECT_EQ(config.proxy_options({}).admission.credentials,
            (proxy::CredentialLimits{.rate = {.per_1000_s = 2'500, .burst = 2}}));
  config.credential_burst = 7;
  config.credential_max_concurrent = 9;
  EXPECT_EQ(
      config.credential_limits(),
      (proxy::CredentialLimits{.rate = {.per_1000_s = 2'500, .burst = 7}, .max_concurrent = 9}));
}

TEST(ServeConfigTest, a_rate_of_credentials_that_is_none_is_named) {
  ServeConfig config;
  config.upstream = "http://127.0.0.1:1";
  EXPECT_TRUE(config.validate().ok());
  config.credential_requests_per_second = "fast";
  const auto status = config.validate();
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().message,
            "--credential-requests-per-second: 'fast' is not a number from 0.001 to 1000000");
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

class ServeStoreTest : public ::testing::Test {
 protected:
  ServeStoreTest() {
    config_.upstream = "http://127.0.0.1:1";
    config_.l2 = "redis://127.0.0.1";
  }
  void expect_refused(const std::string& reason) const {
    const auto status = config_.validate();
    ASSERT_FALSE(status.ok()) << reason;
    EXPECT_EQ(status.error().code, ErrorCode::kInvalidArgument);
    EXPECT_NE(status.error().message.find(reason), std::string::npos) << status.error().message;
    EXPECT_EQ(status.error().message.find("1111"), std::string::npos);
  }
  [[nodiscard]] std::string written(const std::string& text, std::filesystem::perms perms) const {
    const auto path = folder_.path() / "key";
    std::ofstream(path) << text;
    std::filesystem::permissions(path, perms);
    return path.string();
  }

  static constexpr auto kOwner = std::filesystem::perms::owner_read;
  test::TempDir folder_;
  ServeConfig config_;
};

TEST_F(ServeStoreTest, keys_and_dictionaries_reach_the_tier) {
  config_.l2_encryption_key = std::string(64, '1');
  config_.l2_encryption_old_key_file = written(std::string(64, '2'), kOwner);
  config_.l2_compress_over_bytes = 7;
  config_.l2_dictionary_file = LEC_SOURCE_DIR "/tests/golden/entries/dictionary.bin";
  ASSERT_TRUE(config_.validate().ok()) << config_.validate().error().message;
  const auto l2 = config_.l2_config();
  ASSERT_TRUE(l2.encryption_key.has_value());
  EXPECT_EQ(l2.encryption_key->bytes()[0], 0x11);
  EXPECT_FALSE(l2.encryption_old_key.has_value());
  EXPECT_EQ(l2.encryption_old_key_file, config_.l2_encryption_old_key_file);
  EXPECT_EQ(l2.compress_over_bytes, 7U);
  EXPECT_EQ(l2.dictionary_file, config_.l2_dictionary_file);
}

TEST_F(ServeStoreTest, a_key_that_cannot_be_used_is_found_before_serving) {
  config_.l2_encryption_key = std::string(63, '1');
  expect_refused("LLM_EDGE_CACHE_L2_ENCRYPTION_KEY: an encryption key is 32 bytes");
  config_.l2_encryption_key.clear();
  config_.l2_encryption_old_key = std::string(64, '1');
  expect_refused("LLM_EDGE_CACHE_L2_ENCRYPTION_OLD_KEY is of no use without");
  config_.l2_encryption_old_key = "11110";
  expect_refused("LLM_EDGE_CACHE_L2_ENCRYPTION_OLD_KEY: an encryption key is 32 bytes");
  config_.l2_encryption_old_key.clear();
  config_.l2_encryption_key_file =
      written(std::string(64, '1'), kOwner | std::filesystem::perms::others_read);
  expect_refused("--l2-encryption-key-file: " + config_.l2_encryption_key_file +
                 ": every user can reach this key: chmod 600");
  config_.l2_encryption_key = std::string(64, '1');
  expect_refused(
      "LLM_EDGE_CACHE_L2_ENCRYPTION_KEY and --l2-encryption-key-file exclude each other");
}

TEST_F(ServeStoreTest, two_keys_that_are_one_are_named_by_where_the_second_comes_from) {
  config_.l2_encryption_key = config_.l2_encryption_old_key = std::string(64, '1');
  expect_refused("LLM_EDGE_CACHE_L2_ENCRYPTION_OLD_KEY must not be the one");
  config_.l2_encryption_old_key.clear();
  config_.l2_encryption_old_key_file = written(std::string(64, '1'), kOwner);
  expect_refused("--l2-encryption-old-key-file must not be the one that is written with");
}

TEST_F(ServeStoreTest, a_dictionary_that_cannot_be_used_is_found_before_serving) {
  config_.l2_dictionary_file = "/no/such/dictionary";
  expect_refused("--l2-dictionary-file: /no/such/dictionary");
  config_.l2_dictionary_file = written("text", kOwner);
  expect_refused("not a dictionary");
  config_.l2_dictionary_file = LEC_SOURCE_DIR "/tests/golden/entries/dictionary.bin";
  config_.l2_old_dictionary_file = "/no/such/dictionary";
  expect_refused("--l2-old-dictionary-file: /no/such/dictionary");
}

TEST_F(ServeStoreTest, files_of_tls_that_cannot_be_used_are_found_before_serving) {
  config_.l2 = "rediss://127.0.0.1";
  config_.l2_tls_ca_file = "/no/such/ca.pem";
  expect_refused("--l2-tls-ca-file: authority file '/no/such/ca.pem' cannot be used");
  config_.l2_tls_ca_file = written("text", kOwner);
  expect_refused("--l2-tls-ca-file: authority file '" + config_.l2_tls_ca_file +
                 "' cannot be used");
  config_.l2_tls_ca_file.clear();
  config_.l2_tls_cert_file = "/no/such/cert.pem";
  config_.l2_tls_key_file = "/no/such/key.pem";
  expect_refused("--l2-tls-cert-file: certificate file '/no/such/cert.pem' cannot be used");
}

TEST_F(ServeStoreTest, replicas_of_a_server_that_has_none_are_found_before_serving) {
  config_.l2_read_from = "replica";
  expect_refused("--l2-read-from: only a cluster or sentinels tell of replicas");
}

ServeConfig config_with_windows() {
  ServeConfig config;
  config.upstream = "http://127.0.0.1:1";
  config.stale_while_revalidate_seconds = 5;
  config.stale_if_error_seconds = 7;
  config.rules = {{{.stale_if_error_ms = 9'000}, "rules[1]"}, {{.is_cached = false}, "rules[2]"}};
  return config;
}

TEST(ServeConfigTest, freshness_and_rules_reach_the_proxy) {
  auto config = config_with_windows();
  config.ttl_jitter_percent = 3;
  const auto options = config.proxy_options("secret");
  EXPECT_EQ(options.scope_secret, "secret");
  EXPECT_EQ(options.ttl_ms, 300'000U);
  EXPECT_EQ(options.stale_while_revalidate_ms, 5'000U);
  EXPECT_EQ(options.stale_if_error_ms, 7'000U);
  EXPECT_EQ(options.ttl_jitter_percent, 3U);
  ASSERT_EQ(options.rules.size(), 2U);
  EXPECT_FALSE(options.rules[1].is_cached);
}

// Less would cut off what succeeds without the proxy: both client libraries wait for 10 minutes.
TEST(ServeConfigTest, a_provider_may_think_as_long_as_its_clients_wait) {
  const auto client = ServeConfig().client_options();
  EXPECT_EQ(client.first_byte_timeout_ms, 600'000);
  EXPECT_EQ(client.idle_read_timeout_ms, 300'000);
}

// Else no other member of a group would ever be asked for one that keeps silent.
TEST(ServeConfigTest, retries_may_begin_after_a_silence) {
  const ServeConfig config;
  EXPECT_GT(config.retry_options().deadline_ms, config.client_options().first_byte_timeout_ms);
}

TEST(ServeConfigTest, names_of_headers_and_members_come_as_lists) {
  auto config = config_with_windows();
  config.scope = "header";
  config.scope_header = "x-team";
  config.credential_headers = "x-subscription-key, x-other-key";
  config.key_headers = "x-variant";
  config.keyless_members = "stream,trace_id";
  ASSERT_TRUE(config.validate().ok()) << config.validate().error().message;
  const auto options = config.proxy_options("");
  EXPECT_EQ(options.scope, proxy::ScopeMode::kHeader);
  EXPECT_EQ(options.scope_header, "x-team");
  EXPECT_THAT(options.credential_headers,
              ::testing::IsSupersetOf({"authorization", "x-subscription-key", "x-other-key"}));
  EXPECT_THAT(options.key_headers, ::testing::IsSupersetOf({"anthropic-version", "x-variant"}));
  EXPECT_THAT(options.keyless_members, ::testing::ElementsAre("stream", "trace_id"));
}

TEST(ServeConfigTest, lists_that_would_mix_up_answers_are_refused) {
  const auto fault_of = [](auto change) {
    auto config = config_with_windows();
    change(config);
    const auto status = config.validate();
    return status.ok() ? std::string() : status.error().message;
  };
  EXPECT_EQ(fault_of([](auto& config) { config.keyless_members = "stream,model"; }),
            "--keyless-members: 'model' changes every answer");
  EXPECT_EQ(fault_of([](auto& config) { config.keyless_members = "user"; }),
            "--keyless-members: 'stream' must be one of them");
  EXPECT_EQ(fault_of([](auto& config) { config.credential_headers = "x y"; }),
            "--credential-headers: 'x y' names no header field");
  EXPECT_NE(fault_of([](auto& config) { config.scope = "header"; }), "");
  EXPECT_NE(fault_of([](auto& config) { config.scope_header = "x-team"; }), "");
}

TEST(ServeConfigTest, an_answer_lives_as_long_as_the_longer_of_the_tiers_keeps_it) {
  ServeConfig config;
  EXPECT_EQ(config.answer_life_ms(), 300'000U);
  config.l2 = "redis://127.0.0.1";
  EXPECT_EQ(config.answer_life_ms(), 3'600'000U);
  for (const std::uint64_t endless : {std::uint64_t{0}, std::uint64_t{4'294'967'295}}) {
    config.l1_ttl_seconds = endless;
    EXPECT_EQ(config.answer_life_ms(), proxy::kLongestLifeMs);
  }
}

TEST(ServeConfigTest, the_store_keeps_an_answer_to_the_end_of_the_longest_window) {
  const auto config = config_with_windows();
  EXPECT_EQ(config.longest_stale_ms(), 9'000U);
  EXPECT_EQ(config.l2_config().ttl_ms, 3'609'000U);
}

TEST(ServeConfigTest, the_configurations_of_all_parts_are_checked) {
  auto config = config_with_windows();
  EXPECT_TRUE(config.validate().ok());
  config.max_header_bytes = 0;
  EXPECT_FALSE(config.validate().ok());
  config = config_with_windows();
  config.ttl_jitter_percent = 101;
  EXPECT_FALSE(config.validate().ok());
  config = config_with_windows();
  config.upstream_ca_file = "/nonexistent/ca.pem";
  EXPECT_EQ(config.validate().error().message,
            "--upstream-ca-file: authority file '/nonexistent/ca.pem' cannot be used: No such file "
            "or directory");
}

}  // namespace
}  // namespace llm_edge_cache::app
