#include "core/parsed_json.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "core/canonical_json.hpp"

namespace llm_edge_cache::parsed_json_test {
namespace {

std::string canonical_text_of(const ParsedJson& json) {
  std::string out;
  EXPECT_TRUE(append_canonical_json(out, json).ok());
  return out;
}

TEST(ParsedJsonTest, needs_the_text_no_longer) {
  std::string text = R"({"a": "some text that is longer than short strings are"})";
  const auto json = ParsedJson::parse(text);
  text.assign(text.size(), 'x');
  ASSERT_TRUE(json.ok());
  EXPECT_EQ(canonical_text_of(*json), R"({"a":"some text that is longer than short strings are"})");
}

TEST(ParsedJsonTest, lives_on_where_it_is_moved_to) {
  auto first = ParsedJson::parse("[1]");
  ASSERT_TRUE(first.ok());
  const auto second = std::make_unique<ParsedJson>(std::move(*first));
  EXPECT_EQ(canonical_text_of(*second), "[1]");
}

TEST(ParsedJsonTest, takes_a_name_twice_which_canonical_json_does_not) {
  const auto json = ParsedJson::parse(R"({"a":1,"a":2})");
  ASSERT_TRUE(json.ok());
  std::string out = "before";
  EXPECT_FALSE(append_canonical_json(out, *json).ok());
  EXPECT_EQ(out, "before");
}

TEST(ParsedJsonTest, names_what_is_wrong_and_leaves_the_next_text_unharmed) {
  for (const auto& text : {std::string("{"), std::string(), "\"" + std::string(3U << 20U, 'x')}) {
    const auto broken = ParsedJson::parse(text);
    ASSERT_FALSE(broken.ok());
    EXPECT_EQ(broken.error().code, ErrorCode::kInvalidArgument);
    const auto next = ParsedJson::parse("[2]");
    ASSERT_TRUE(next.ok());
    EXPECT_EQ(canonical_text_of(*next), "[2]");
  }
}

TEST(ParsedJsonTest, memory_for_members_is_empty_again_for_the_next_text) {
  {
    const auto json = ParsedJson::parse(R"({"a":1})");
    ASSERT_TRUE(json.ok());
    json->members().push_back({"a", json->root()});
  }
  const auto next = ParsedJson::parse("{}");
  ASSERT_TRUE(next.ok());
  EXPECT_TRUE(next->members().empty());
}

}  // namespace
}  // namespace llm_edge_cache::parsed_json_test
