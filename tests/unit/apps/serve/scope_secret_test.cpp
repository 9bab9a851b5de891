#include "serve/scope_secret.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <fstream>
#include <thread>

#include "tests/support/temp_dir.hpp"

namespace llm_edge_cache::app {
namespace {

using ::testing::HasSubstr;

class ScopeSecretTest : public ::testing::Test {
 protected:
  ScopeSecretTest() { config_.l2 = "redis://127.0.0.1"; }

  [[nodiscard]] std::filesystem::path state_file() const {
    return directory_.path() / "state" / "llm-edge-cache" / "secret";
  }
  std::string written(const std::string& text, ::mode_t mode = 0600) {
    const auto path = (directory_.path() / "given").string();
    std::ofstream(path) << text;
    ::chmod(path.c_str(), mode);
    return path;
  }

  test::TempDir directory_;
  ServeConfig config_;
};

TEST_F(ScopeSecretTest, is_made_once_and_found_again) {
  const auto first = load_scope_secret(config_, state_file());
  ASSERT_TRUE(first.ok()) << first.error().message;
  EXPECT_EQ(first->source, SecretSource::kStateFile);
  EXPECT_EQ(first->secret.size(), 64U);
  EXPECT_EQ(load_scope_secret(config_, state_file())->secret, first->secret);
}

TEST_F(ScopeSecretTest, is_readable_by_its_user_alone) {
  ASSERT_TRUE(load_scope_secret(config_, state_file()).ok());
  struct stat status{};
  ASSERT_EQ(::stat(state_file().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600U);
  ASSERT_EQ(::stat(state_file().parent_path().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0700U);
}

TEST_F(ScopeSecretTest, instances_that_start_together_agree) {
  std::vector<std::string> secrets(8);
  {
    std::vector<std::jthread> threads;
    for (auto& secret : secrets) {
      threads.emplace_back([&] {
        auto loaded = load_scope_secret(config_, state_file());
        secret = loaded ? loaded->secret : loaded.error().message;
      });
    }
  }
  for (const auto& secret : secrets) EXPECT_EQ(secret, secrets[0]);
  EXPECT_EQ(secrets[0].size(), 64U);
}

TEST_F(ScopeSecretTest, what_is_given_wins_and_nothing_is_made) {
  config_.scope_secret = "from the environment";
  EXPECT_EQ(load_scope_secret(config_, state_file())->secret, "from the environment");
  config_.scope_secret.clear();
  config_.scope_secret_file = written("from a given file\n");
  EXPECT_EQ(load_scope_secret(config_, state_file())->secret, "from a given file");
  EXPECT_FALSE(std::filesystem::exists(state_file()));
}

TEST_F(ScopeSecretTest, one_that_others_can_read_is_refused) {
  config_.scope_secret_file = written("from a given file", 0644);
  const auto secret = load_scope_secret(config_, state_file());
  ASSERT_FALSE(secret.ok());
  EXPECT_THAT(secret.error().message, HasSubstr("chmod 600"));
}

TEST_F(ScopeSecretTest, one_that_is_too_short_or_absent_is_refused_without_quoting_it) {
  config_.scope_secret_file = written("short");
  EXPECT_THAT(load_scope_secret(config_, state_file()).error().message,
              ::testing::AllOf(HasSubstr("16"), ::testing::Not(HasSubstr("short\n"))));
  config_.scope_secret_file = "/nonexistent/secret";
  EXPECT_THAT(load_scope_secret(config_, state_file()).error().message,
              HasSubstr("/nonexistent/secret"));
  config_.scope_secret_file.clear();
  config_.scope_secret = "short";
  EXPECT_FALSE(load_scope_secret(config_, state_file()).ok());
}

TEST_F(ScopeSecretTest, without_a_shared_store_it_lives_in_memory) {
  config_.l2 = "none";
  const auto secret = load_scope_secret(config_, state_file());
  ASSERT_TRUE(secret.ok());
  EXPECT_EQ(secret->source, SecretSource::kMemory);
  EXPECT_NE(secret->secret, load_scope_secret(config_, state_file())->secret);
  EXPECT_FALSE(std::filesystem::exists(state_file()));
}

TEST_F(ScopeSecretTest, no_place_for_it_is_an_error_that_says_what_to_set) {
  EXPECT_THAT(load_scope_secret(config_, {}).error().message,
              HasSubstr("LLM_EDGE_CACHE_SCOPE_SECRET"));
}

TEST_F(ScopeSecretTest, is_kept_for_tenants_where_all_others_share) {
  config_.scope = "shared";  // tenants may come by a reload
  const auto secret = load_scope_secret(config_, state_file());
  ASSERT_TRUE(secret.ok()) << secret.error().message;
  EXPECT_EQ(secret->source, SecretSource::kStateFile);
  config_.tenants.resize(1);
  EXPECT_EQ(load_scope_secret(config_, state_file())->secret, secret->secret);
}

TEST_F(ScopeSecretTest, where_nothing_is_keyed_one_that_cannot_be_had_is_no_error) {
  config_.scope = "shared";
  EXPECT_EQ(load_scope_secret(config_, {})->source, SecretSource::kMemory);
  ASSERT_TRUE(load_scope_secret(config_, state_file()).ok());
  ::chmod(state_file().c_str(), 0644);
  EXPECT_EQ(load_scope_secret(config_, state_file())->source, SecretSource::kMemory);
  EXPECT_EQ(*find_scope_secret(config_, state_file()), "");
  config_.tenants.resize(1);
  EXPECT_FALSE(load_scope_secret(config_, {}).ok());
  EXPECT_FALSE(load_scope_secret(config_, state_file()).ok());
  EXPECT_FALSE(find_scope_secret(config_, state_file()).ok());
}

TEST_F(ScopeSecretTest, one_of_this_machine_is_warned_of_where_others_may_share_the_store) {
  const ScopeSecret local{
      .secret = "s", .source = SecretSource::kStateFile, .file = "/state/secret"};
  EXPECT_THAT(warning_of(local, config_), HasSubstr("/state/secret"));
  EXPECT_EQ(warning_of({.secret = "s", .source = SecretSource::kEnvironment}, config_), "");
  config_.l2 = "disk:cache";
  EXPECT_EQ(warning_of(local, config_), "");
}

TEST_F(ScopeSecretTest, where_all_share_it_is_warned_of_for_tenants_alone) {
  const ScopeSecret local{
      .secret = "s", .source = SecretSource::kStateFile, .file = "/state/secret"};
  const ScopeSecret lost{.secret = "s", .source = SecretSource::kMemory};
  config_.scope = "shared";
  EXPECT_EQ(warning_of(local, config_), "");
  EXPECT_EQ(warning_of(lost, config_), "");
  config_.tenants.resize(1);
  EXPECT_THAT(warning_of(local, config_), HasSubstr("/state/secret"));
  EXPECT_THAT(warning_of(lost, config_), HasSubstr("of this process alone"));
  config_.l2 = "none";
  EXPECT_EQ(warning_of(lost, config_), "");
}

TEST_F(ScopeSecretTest, its_place_follows_the_environment) {
  ::setenv("XDG_STATE_HOME", "/somewhere", 1);
  EXPECT_EQ(default_secret_file(), "/somewhere/llm-edge-cache/secret");
  ::setenv("XDG_STATE_HOME", "relative", 1);  // to be ignored, says the specification
  ::setenv("HOME", "/home/me", 1);
  EXPECT_EQ(default_secret_file(), "/home/me/.local/state/llm-edge-cache/secret");
  ::unsetenv("XDG_STATE_HOME");
}

TEST_F(ScopeSecretTest, finding_makes_nothing) {
  const auto nothing = find_scope_secret(config_, state_file());
  ASSERT_TRUE(nothing.ok());
  EXPECT_EQ(*nothing, "");
  EXPECT_FALSE(std::filesystem::exists(state_file()));
  EXPECT_EQ(*find_scope_secret(config_, {}), "");
}

TEST_F(ScopeSecretTest, finds_what_a_start_would_use) {
  const auto made = load_scope_secret(config_, state_file());
  EXPECT_EQ(*find_scope_secret(config_, state_file()), made->secret);
  config_.scope_secret_file = written("a secret of the operator's own");
  EXPECT_EQ(*find_scope_secret(config_, state_file()), "a secret of the operator's own");
  config_.scope_secret_file = "/nonexistent/secret";
  EXPECT_FALSE(find_scope_secret(config_, state_file()).ok());
}

}  // namespace
}  // namespace llm_edge_cache::app
