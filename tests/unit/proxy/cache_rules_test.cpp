#include "proxy/cache_rules.hpp"

#include <gtest/gtest.h>

#include <string>

namespace llm_edge_cache::proxy::cache_rules_test {
namespace {

struct GlobCase {
  const char* glob;
  const char* text;
  bool matches;
};

TEST(GlobTest, stars_are_any_text_and_question_marks_any_byte) {
  for (const auto& at : {
           GlobCase{"", "", true},
           GlobCase{"", "a", false},
           GlobCase{"a", "a", true},
           GlobCase{"a", "A", false},
           GlobCase{"a", "ab", false},
           GlobCase{"?", "a", true},
           GlobCase{"?", "", false},
           GlobCase{"*", "", true},
           GlobCase{"*", "anything", true},
           GlobCase{"gpt-4o*", "gpt-4o-mini", true},
           GlobCase{"gpt-4o*", "gpt-4", false},
           GlobCase{"*-mini", "gpt-4o-mini", true},
           GlobCase{"*-mini", "gpt-4o-mini-2", false},
           GlobCase{"*-mini*", "gpt-4o-mini-2", true},
           GlobCase{"a*b*c", "a-b-b-c", true},
           GlobCase{"a*b*c", "a-c-b", false},
           GlobCase{"**a", "bba", true},
           GlobCase{"[a]", "a", false},
           GlobCase{"[a]", "[a]", true},
           GlobCase{"/v1/*", "/v1/chat/completions", true},
       }) {
    EXPECT_EQ(glob_matches(at.glob, at.text), at.matches) << at.glob << " on " << at.text;
  }
}

TEST(GlobTest, many_stars_are_no_trap) {
  std::string glob;
  for (std::size_t i = 0; i < kMaxGlobBytes / 2; ++i) glob += "*a";
  EXPECT_FALSE(glob_matches(glob, std::string(100'000, 'a') + "b"));
}

RequestTraits traits() {
  return {.model = "gpt-4o-mini", .path = "/v1/chat/completions"};
}

TEST(CacheRuleTest, one_that_names_nothing_matches_everything) {
  EXPECT_TRUE(CacheRule().matches(traits()));
  EXPECT_TRUE(CacheRule().matches({}));
}

TEST(CacheRuleTest, everything_that_is_named_must_match) {
  auto request = traits();
  EXPECT_TRUE((CacheRule{.model = "gpt-4o*", .path = "/v1/chat/*"}.matches(request)));
  EXPECT_FALSE((CacheRule{.model = "gpt-4o*", .path = "/v1/messages"}.matches(request)));
  EXPECT_FALSE((CacheRule{.model = "claude*", .path = "/v1/chat/*"}.matches(request)));
}

TEST(CacheRuleTest, a_trait_can_be_wanted_or_unwanted) {
  auto request = traits();
  EXPECT_TRUE(
      (CacheRule{.samples = true, .has_tools = false, .is_streamed = false}.matches(request)));
  EXPECT_FALSE((CacheRule{.samples = false}.matches(request)));
  EXPECT_FALSE((CacheRule{.has_tools = true}.matches(request)));
  EXPECT_FALSE((CacheRule{.is_streamed = true}.matches(request)));
  request.samples = false;
  request.has_tools = true;
  request.is_streamed = true;
  EXPECT_TRUE(
      (CacheRule{.samples = false, .has_tools = true, .is_streamed = true}.matches(request)));
}

TEST(CacheRulesTest, the_first_that_matches_decides) {
  const CacheRules rules({}, {{.model = "claude*", .ttl_ms = 1},
                              {.model = "gpt*", .ttl_ms = 2},
                              {.model = "gpt-4o*", .ttl_ms = 3}});
  const auto match = rules.match(traits());
  EXPECT_EQ(rules.policy(match).ttl_ms, 2U);
  ASSERT_NE(rules.rule(match), nullptr);
  EXPECT_EQ(rules.rule(match)->model, "gpt*");
}

TEST(CacheRulesTest, where_none_matches_the_defaults_decide) {
  const CachePolicy defaults{.ttl_ms = 7, .max_ttl_ms = 7, .stale_if_error_ms = 9};
  const CacheRules rules(defaults, {{.model = "claude*"}});
  EXPECT_EQ(rules.match(traits()), rules.none());
  EXPECT_EQ(rules.policy(rules.none()), defaults);
  EXPECT_EQ(rules.rule(rules.none()), nullptr);
  EXPECT_EQ(CacheRules(defaults, {}).match(traits()), CacheRules(defaults, {}).none());
}

TEST(CacheRulesTest, what_a_rule_leaves_out_is_as_without_it) {
  const CachePolicy defaults{.ttl_ms = 1'000,
                             .max_ttl_ms = 1'000,
                             .stale_while_revalidate_ms = 10,
                             .stale_if_error_ms = 20,
                             .ttl_jitter_percent = 5};
  const CacheRules rules(defaults, {{.stale_if_error_ms = 0},
                                    {.ttl_ms = 5'000},
                                    {.max_ttl_ms = 9'000},
                                    {.max_ttl_ms = 10},
                                    {.is_cached = false}});
  auto expected = defaults;
  expected.stale_if_error_ms = 0;
  EXPECT_EQ(rules.policy(0), expected);
  expected = defaults;
  expected.ttl_ms = expected.max_ttl_ms = 5'000;
  EXPECT_EQ(rules.policy(1), expected);
  expected = defaults;
  expected.max_ttl_ms = 9'000;
  EXPECT_EQ(rules.policy(2), expected);
  expected.ttl_ms = expected.max_ttl_ms = 10;
  EXPECT_EQ(rules.policy(3), expected);
  EXPECT_FALSE(rules.policy(4).is_cached);
}

std::string fault_of(const CacheRule& rule) {
  const auto status = CacheRules::validate({}, {{}, rule});
  return status.ok() ? "" : status.error().message;
}

TEST(CacheRulesTest, validation_names_rule_and_field) {
  EXPECT_EQ(fault_of({}), "");
  EXPECT_EQ(fault_of({.is_cached = false}), "");
  EXPECT_TRUE(fault_of({.ttl_ms = 0}).starts_with("rule 2: ttl_ms"));
  EXPECT_TRUE(fault_of({.ttl_ms = kLongestLifeMs + 1}).starts_with("rule 2: ttl_ms"));
  EXPECT_TRUE(fault_of({.ttl_ms = 10, .max_ttl_ms = 9}).starts_with("rule 2: max_ttl_ms"));
  EXPECT_TRUE(fault_of({.stale_while_revalidate_ms = kLongestLifeMs + 1})
                  .starts_with("rule 2: stale_while_revalidate_ms"));
  EXPECT_TRUE(
      fault_of({.stale_if_error_ms = kLongestLifeMs + 1}).starts_with("rule 2: stale_if_error_ms"));
  EXPECT_TRUE(fault_of({.ttl_jitter_percent = 101}).starts_with("rule 2: ttl_jitter_percent"));
  EXPECT_TRUE(
      fault_of({.model = std::string(kMaxGlobBytes + 1, 'm')}).starts_with("rule 2: model"));
  EXPECT_TRUE(fault_of({.path = std::string(kMaxGlobBytes + 1, 'p')}).starts_with("rule 2: path"));
  EXPECT_TRUE(fault_of({.is_cached = false, .ttl_ms = 1}).starts_with("rule 2: what is never"));
}

TEST(CacheRulesTest, their_number_is_bounded) {
  EXPECT_TRUE(CacheRules::validate({}, std::vector<CacheRule>(kMaxRules)).ok());
  EXPECT_FALSE(CacheRules::validate({}, std::vector<CacheRule>(kMaxRules + 1)).ok());
}

}  // namespace
}  // namespace llm_edge_cache::proxy::cache_rules_test
