#include "serve/rules_layer.hpp"

#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

#include <string>

namespace llm_edge_cache::app::rules_layer_test {
namespace {

Result<std::vector<ConfiguredRule>> read(const std::string& text) {
  return read_rules(YAML::Load(text), "proxy.yaml");
}

std::string error_of(const std::string& text) {
  const auto rules = read(text);
  return rules.ok() ? "no error" : rules.error().message;
}

TEST(RulesLayerTest, every_member_reaches_the_rule) {
  const auto rules = read(
      "- name: evaluations\n"
      "  model: gpt-4o*\n"
      "  path: /v1/chat/*\n"
      "  temperature_above_zero: true\n"
      "  tools: false\n"
      "  stream: true\n"
      "  ttl_seconds: 60\n"
      "  max_ttl_seconds: 600\n"
      "  stale_while_revalidate_seconds: 30\n"
      "  stale_if_error_seconds: 0\n"
      "  ttl_jitter_percent: 10\n");
  ASSERT_TRUE(rules.ok()) << rules.error().message;
  ASSERT_EQ(rules->size(), 1U);
  EXPECT_EQ(rules->front().rule, (proxy::CacheRule{.name = "evaluations",
                                                   .model = "gpt-4o*",
                                                   .path = "/v1/chat/*",
                                                   .samples = true,
                                                   .has_tools = false,
                                                   .is_streamed = true,
                                                   .ttl_ms = 60'000,
                                                   .max_ttl_ms = 600'000,
                                                   .stale_while_revalidate_ms = 30'000,
                                                   .stale_if_error_ms = 0,
                                                   .ttl_jitter_percent = 10}));
  EXPECT_EQ(rules->front().origin, "proxy.yaml:1: rules[1]");
}

TEST(RulesLayerTest, a_rule_can_say_never) {
  const auto rules = read("- tools: true\n  cache: never\n- {}\n");
  ASSERT_TRUE(rules.ok());
  EXPECT_FALSE(rules->at(0).rule.is_cached);
  EXPECT_EQ(rules->at(1).rule, proxy::CacheRule());
}

TEST(RulesLayerTest, there_may_be_none) {
  EXPECT_TRUE(read("[]")->empty());
}

TEST(RulesLayerTest, shapes_that_do_not_fit_are_named_with_their_line) {
  EXPECT_EQ(error_of("a: 1"), "proxy.yaml:1: 'rules' must be a list");
  EXPECT_EQ(error_of("- {}\n- 5\n"), "proxy.yaml:2: rules[2] must be a mapping");
  EXPECT_EQ(error_of("- {}\n- model: [a]\n"),
            "proxy.yaml:2: rules[2].model must be a single value");
  EXPECT_EQ(error_of("- [a]: 1\n"), "proxy.yaml:1: rules[1]: a key must be text");
}

TEST(RulesLayerTest, keys_that_are_not_known_or_twice_there_are_named) {
  EXPECT_EQ(error_of("- model: m\n  ttl: 5\n"), "proxy.yaml:2: rules[1]: unknown key 'ttl'");
  EXPECT_EQ(error_of("- model: m\n  model: n\n"), "proxy.yaml:2: rules[1].model is given twice");
}

TEST(RulesLayerTest, values_that_do_not_fit_are_named_with_what_would) {
  EXPECT_EQ(error_of("- tools: yes\n"), "proxy.yaml:1: rules[1].tools: 'yes' is not true or false");
  EXPECT_EQ(error_of("- cache: always\n"), "proxy.yaml:1: rules[1].cache: 'always' is not never");
  EXPECT_EQ(error_of("- ttl_jitter_percent: 101\n"),
            "proxy.yaml:1: rules[1].ttl_jitter_percent: '101' is not a whole number from 0 to 100");
  EXPECT_EQ(error_of("- model: ''\n"),
            "proxy.yaml:1: rules[1].model: '' is not text of 1 to 256 bytes");
  for (const auto* value : {"0", "-1", "1.5", "60s", "99999999999999999999", "~"}) {
    EXPECT_TRUE(error_of(std::string("- model: m\n  ttl_seconds: ") + value)
                    .starts_with("proxy.yaml:2: rules[1].ttl_seconds"))
        << value;
  }
}

TEST(RulesLayerTest, contradictions_are_named) {
  EXPECT_EQ(error_of("- ttl_seconds: 5\n  max_ttl_seconds: 4\n"),
            "proxy.yaml:1: rules[1].max_ttl_seconds: must be at least ttl_seconds");
  EXPECT_EQ(error_of("- cache: never\n  ttl_seconds: 5\n"),
            "proxy.yaml:1: rules[1].cache: what is never cached has neither a life nor a window");
}

TEST(RulesLayerTest, their_number_is_bounded) {
  std::string text;
  for (std::size_t i = 0; i < proxy::kMaxRules; ++i) text += "- {}\n";
  EXPECT_TRUE(read(text).ok());
  EXPECT_EQ(error_of(text + "- {}\n"), "proxy.yaml:1: 'rules' has more than 256 rules");
}

TEST(RulesLayerTest, the_longest_life_fits) {
  EXPECT_TRUE(read("- ttl_seconds: " + std::to_string(kMaxRuleSeconds)).ok());
  EXPECT_FALSE(read("- ttl_seconds: " + std::to_string(kMaxRuleSeconds + 1)).ok());
}

}  // namespace
}  // namespace llm_edge_cache::app::rules_layer_test
