#include "serve/option_table.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <sstream>

namespace llm_edge_cache::app {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

const Option& option_named(std::string_view name) {
  for (const auto& option : serve_options()) {
    if (option.name == name) return option;
  }
  throw std::invalid_argument("no such option");
}

TEST(OptionTableTest, every_name_variable_and_key_is_unique) {
  std::set<std::string> names;
  std::set<std::string> keys;
  for (const auto& option : serve_options()) {
    EXPECT_TRUE(names.insert(std::string(option.name)).second) << option.name;
    if (option.yaml_key.empty()) continue;
    EXPECT_TRUE(keys.insert(std::string(option.yaml_key)).second) << option.yaml_key;
  }
}

TEST(OptionTableTest, every_default_is_a_value_that_the_option_takes) {
  for (const auto& option : serve_options()) {
    ServeConfig config;
    EXPECT_TRUE(assign(config, option, default_text(option), "default").ok()) << option.name;
  }
}

TEST(OptionTableTest, a_name_makes_flag_and_variable) {
  EXPECT_EQ(option_named("l1-capacity").flag(), "--l1-capacity");
  EXPECT_EQ(option_named("l1-capacity").variable(), "LLM_EDGE_CACHE_L1_CAPACITY");
}

TEST(OptionTableTest, secrets_have_no_flag_and_no_place_in_the_file) {
  for (const auto* name : {"scope-secret", "l2-encryption-key", "l2-encryption-old-key"}) {
    EXPECT_EQ(option_named(name).flag(), "");
    EXPECT_EQ(option_named(name).yaml_key, "");
  }
}

TEST(OptionTableTest, a_number_fills_its_field) {
  ServeConfig config;
  ASSERT_TRUE(assign(config, option_named("l1-capacity"), "10000", "--l1-capacity").ok());
  EXPECT_EQ(config.l1_capacity, 10'000U);
}

TEST(OptionTableTest, what_is_no_whole_number_in_range_is_refused_with_its_origin) {
  for (const auto* text : {"", "ten", "10k", "-1", "1.5", " 1", "0", "99999999999999999999"}) {
    ServeConfig config;
    const auto status = assign(config, option_named("l1-capacity"), text, "a.yaml:3: l1.capacity");
    ASSERT_FALSE(status.ok()) << text;
    EXPECT_EQ(status.error().code, ErrorCode::kInvalidArgument);
    EXPECT_THAT(status.error().message, StartsWith("a.yaml:3: l1.capacity: '"));
  }
}

TEST(OptionTableTest, a_choice_is_refused_with_what_there_is_to_choose) {
  ServeConfig config;
  const auto status = assign(config, option_named("scope"), "tenant", "--scope");
  ASSERT_FALSE(status.ok());
  EXPECT_THAT(status.error().message, HasSubstr("one of credential, shared, header"));
  EXPECT_EQ(config.scope, "credential");
}

TEST(OptionTableTest, a_complaint_about_fields_is_told_by_their_options) {
  EXPECT_EQ(in_flags("l2.disk_max_bytes must be at least twice l2.max_entry_bytes"),
            "--l2-max-bytes must be at least twice --max-entry-bytes");
  EXPECT_EQ(in_flags("l1.ttl_ms must be at most a hundred years"),
            "--l1-ttl-seconds must be at most a hundred years");
  EXPECT_EQ(in_flags("l2.encryption_key and l2.encryption_key_file exclude each other"),
            "LLM_EDGE_CACHE_L2_ENCRYPTION_KEY and --l2-encryption-key-file exclude each other");
  EXPECT_EQ(in_flags("key_headers: 'x y' names no header field"),
            "--key-headers: 'x y' names no header field");
}

TEST(OptionTableTest, words_and_what_the_operator_wrote_stay_as_they_are) {
  for (const auto* complaint :
       {"", " ", "the scope is one", "disk: the path is missing", "l2.scan_timeout_ms must be 1",
        "upstream 'key_headers l2.url': no", "two  spaces "}) {
    EXPECT_EQ(in_flags(complaint), complaint);
  }
}

TEST(OptionTableTest, the_documentation_is_what_the_table_says) {
  std::ifstream file(LEC_SOURCE_DIR "/docs/configuration.md");
  std::stringstream text;
  text << file.rdbuf();
  EXPECT_TRUE(text.str() == options_markdown())
      << "run: llm-edge-cache serve --options-markdown > docs/configuration.md";
}

}  // namespace
}  // namespace llm_edge_cache::app
