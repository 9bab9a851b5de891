#include "serve/upstreams_layer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

#include <cstdlib>
#include <fstream>

#include "serve/config_layers.hpp"
#include "tests/support/temp_dir.hpp"

namespace llm_edge_cache::app {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class UpstreamsLayerTest : public ::testing::Test {
 protected:
  UpstreamsLayerTest() { ::setenv("UPSTREAMS_LAYER_TEST_KEY", "s3cret", /*overwrite=*/1); }
  ~UpstreamsLayerTest() override { ::unsetenv("UPSTREAMS_LAYER_TEST_KEY"); }

  static Result<std::vector<proxy::UpstreamGroup>> read(const std::string& yaml) {
    return read_upstreams(YAML::Load(yaml), "proxy.yaml");
  }
  static std::string refusal(const std::string& yaml) {
    const auto groups = read(yaml);
    return groups.ok() ? "" : groups.error().message;
  }
};

TEST_F(UpstreamsLayerTest, reads_groups_and_members_in_their_order) {
  const auto groups = read(
      "- name: anthropic\n"
      "  path: /v1/messages\n"
      "  provider: anthropic\n"
      "  members:\n"
      "    - url: https://api.anthropic.com\n"
      "- name: local\n"
      "  models: [llama-*, qwen-*]\n"
      "  members:\n"
      "    - url: http://10.0.0.1:8000\n"
      "    - url: http://10.0.0.2:8000\n");
  ASSERT_TRUE(groups.ok()) << groups.error().message;
  ASSERT_EQ(groups->size(), 2U);
  EXPECT_EQ((*groups)[0],
            (proxy::UpstreamGroup{.name = "anthropic",
                                  .path = "/v1/messages",
                                  .provider = "anthropic",
                                  .members = {{.url = "https://api.anthropic.com"}}}));
  EXPECT_EQ((*groups)[1].models, (std::vector<std::string>{"llama-*", "qwen-*"}));
  EXPECT_EQ((*groups)[1].members[1].url, "http://10.0.0.2:8000");
}

TEST_F(UpstreamsLayerTest, a_credential_comes_from_the_environment) {
  const auto groups = read(
      "- name: a\n"
      "  credential_env: UPSTREAMS_LAYER_TEST_KEY\n"
      "  credential_header: x-api-key\n"
      "  members: [{url: http://a}]\n");
  ASSERT_TRUE(groups.ok()) << groups.error().message;
  EXPECT_EQ((*groups)[0].members[0].credential, "s3cret");
  EXPECT_EQ((*groups)[0].members[0].credential_header, "x-api-key");
}

TEST_F(UpstreamsLayerTest, a_groups_credential_is_not_for_a_member_of_another_provider) {
  EXPECT_THAT(refusal("- name: a\n"
                      "  provider: openai\n"
                      "  credential_env: UPSTREAMS_LAYER_TEST_KEY\n"
                      "  members: [{url: http://a}, {url: http://b, provider: anthropic}]\n"),
              HasSubstr("http://b is of another provider (anthropic)"));
}

TEST_F(UpstreamsLayerTest, a_variable_that_is_not_set_is_named) {
  EXPECT_EQ(refusal("- name: a\n"
                    "  members: [{url: http://a, credential_env: UPSTREAMS_LAYER_TEST_NO_KEY}]\n"),
            "proxy.yaml:2: upstreams[1].members[1].credential_env: the environment has no "
            "UPSTREAMS_LAYER_TEST_NO_KEY");
}

TEST_F(UpstreamsLayerTest, a_credential_that_stands_in_place_of_its_variable_is_not_repeated) {
  for (const auto* credential : {"sk-live-0123", "9LIVES", "SK LIVE", "sk_live"}) {
    const auto text = refusal(std::string("- name: a\n  credential_env: ") + credential + "\n");
    EXPECT_THAT(text, HasSubstr("proxy.yaml:2: upstreams[1].credential_env: this is not the name"));
    EXPECT_THAT(text, Not(HasSubstr(credential)));
  }
}

TEST_F(UpstreamsLayerTest, a_credential_loses_the_line_end_behind_it) {
  ::setenv("UPSTREAMS_LAYER_TEST_KEY", "s3cret\n", /*overwrite=*/1);
  const auto groups =
      read("- {name: a, credential_env: UPSTREAMS_LAYER_TEST_KEY, members: [{url: http://a}]}\n");
  ASSERT_TRUE(groups.ok()) << groups.error().message;
  EXPECT_EQ((*groups)[0].members[0].credential, "s3cret");
}

TEST_F(UpstreamsLayerTest, an_error_says_file_line_and_key_and_no_secret) {
  struct Case {
    const char* yaml;
    const char* expected;
  };
  for (const auto& [yaml, expected] : std::initializer_list<Case>{
           {"name: a", "proxy.yaml:1: 'upstreams' must be a list"},
           {"- a", "proxy.yaml:1: upstreams[1] must be a mapping"},
           {"- name: a\n  member: []", "proxy.yaml:2: upstreams[1]: unknown key 'member'"},
           {"- name: a\n  name: b", "proxy.yaml:2: upstreams[1].name is given twice"},
           {"- name: [a]", "upstreams[1].name must be a text"},
           {"- name: a\n  models: x", "upstreams[1].models must be a list"},
           {"- name: a\n  members: x", "upstreams[1].members must be a list"},
           {"- name: a\n  members: [{uri: x}]", "upstreams[1].members[1]: unknown key 'uri'"},
           {"- name: a\n  members: []", "upstreams[1]: upstream 'a': needs 1 to 16 members"},
           {"- name: a\n  credential_env: UPSTREAMS_LAYER_TEST_KEY\n"
            "  credential_header: cookie\n  members: [{url: http://a}]",
            "credential_header must be"},
       }) {
    EXPECT_THAT(refusal(yaml), HasSubstr(expected)) << yaml;
    EXPECT_THAT(refusal(yaml), Not(HasSubstr("s3cret")));
  }
}

TEST_F(UpstreamsLayerTest, a_file_with_groups_needs_no_other_upstream) {
  const test::TempDir folder;
  const auto file = (folder.path() / "proxy.yaml").string();
  std::ofstream(file) << "upstreams:\n  - name: a\n    members: [{url: http://a}]\n"
                         "upstream: {max_retries: 5, open_ms: 7}\n";
  const auto config = load_config({}, {}, file);
  ASSERT_TRUE(config.ok()) << config.error().message;
  EXPECT_EQ(config->upstreams[0].name, "a");
  EXPECT_EQ(config->retry_options().max_retries, 5U);
  EXPECT_EQ(config->retry_options().open_ms, 7);
  EXPECT_THAT(load_config({}, {}, "").error().message, HasSubstr("--upstream is required"));
}

TEST_F(UpstreamsLayerTest, a_name_that_two_groups_have_is_refused) {
  const test::TempDir folder;
  const auto file = (folder.path() / "proxy.yaml").string();
  std::ofstream(file) << "upstreams:\n  - {name: a, members: [{url: http://a}]}\n"
                         "  - {name: a, members: [{url: http://b}]}\n";
  EXPECT_THAT(load_config({}, {}, file).error().message,
              StartsWith(file + ":3: upstreams[2]: upstream 'a': the name is given twice"));
}

TEST(UpstreamsMarkdownTest, documents_every_key) {
  const auto text = upstreams_markdown();
  for (const auto* key : {"name", "path", "models", "provider", "credential_env", "members",
                          "members[].url", "members[].credential_header"}) {
    EXPECT_THAT(text, HasSubstr("| `" + std::string(key) + "` |"));
  }
}

}  // namespace
}  // namespace llm_edge_cache::app
