#include "proxy/answer_json.hpp"

#include <gtest/gtest.h>

#include <string>

namespace llm_edge_cache::proxy {
namespace {

Json merged(const char* target, const char* delta) {
  Json value = Json::parse(target);
  merge_delta(value, Json::parse(delta));
  return value;
}

TEST(ParseAnswerJsonTest, keeps_the_order_of_members) {
  EXPECT_EQ(parse_answer_json(R"({"b":1,"a":2})")->dump(), R"({"b":1,"a":2})");
}

TEST(ParseAnswerJsonTest, refuses_what_is_not_one_json_value) {
  EXPECT_FALSE(parse_answer_json(""));
  EXPECT_FALSE(parse_answer_json("{"));
  EXPECT_FALSE(parse_answer_json("{} {}"));
  EXPECT_FALSE(parse_answer_json("\"\xff\""));
}

TEST(ParseAnswerJsonTest, refuses_nesting_beyond_the_bound) {
  const auto nested = [](int depth) {
    return std::string(static_cast<std::size_t>(depth), '[') +
           std::string(static_cast<std::size_t>(depth), ']');
  };
  EXPECT_TRUE(parse_answer_json(nested(kMaxAnswerDepth)));
  EXPECT_FALSE(parse_answer_json(nested(kMaxAnswerDepth + 1)));
  EXPECT_FALSE(parse_answer_json(nested(2'000'000)));
}

TEST(ParseAnswerJsonTest, counts_no_brackets_within_strings) {
  EXPECT_TRUE(parse_answer_json('"' + std::string(1'000, '[') + "\\\"" + '"'));
}

TEST(MemberOfTest, is_null_where_there_is_no_such_member) {
  EXPECT_TRUE(member_of(Json::parse("{}"), "a").is_null());
  EXPECT_TRUE(member_of(Json::parse("[1]"), "a").is_null());
  EXPECT_EQ(member_of(Json::parse(R"({"a":1})"), "a"), 1);
}

TEST(MergeDeltaTest, strings_grow) {
  EXPECT_EQ(merged(R"("ab")", R"("cd")"), "abcd");
}

TEST(MergeDeltaTest, null_changes_nothing) {
  EXPECT_EQ(merged(R"("ab")", "null"), "ab");
  EXPECT_EQ(merged(R"({"a":"x"})", R"({"a":null})"), Json::parse(R"({"a":"x"})"));
}

TEST(MergeDeltaTest, a_value_replaces_null) {
  EXPECT_EQ(merged(R"({"a":null})", R"({"a":"x"})"), Json::parse(R"({"a":"x"})"));
}

TEST(MergeDeltaTest, numbers_and_booleans_replace) {
  EXPECT_EQ(merged(R"({"n":1,"b":false})", R"({"n":2,"b":true})"),
            Json::parse(R"({"n":2,"b":true})"));
}

TEST(MergeDeltaTest, objects_merge_in_depth_and_keep_what_is_unknown) {
  EXPECT_EQ(merged(R"({"audio":{"data":"aa"}})", R"({"audio":{"data":"bb","expires_at":7}})"),
            Json::parse(R"({"audio":{"data":"aabb","expires_at":7}})"));
}

TEST(MergeDeltaTest, naming_members_replace_instead_of_growing) {
  EXPECT_EQ(merged(R"({"id":"call_1","type":"function"})", R"({"id":"call_1","type":"function"})"),
            Json::parse(R"({"id":"call_1","type":"function"})"));
}

TEST(MergeDeltaTest, elements_with_an_index_merge_with_their_like) {
  EXPECT_EQ(merged(R"([{"index":0,"t":"a"},{"index":1,"t":"b"}])", R"([{"index":1,"t":"c"}])"),
            Json::parse(R"([{"index":0,"t":"a"},{"index":1,"t":"bc"}])"));
}

TEST(MergeDeltaTest, elements_without_an_index_are_appended) {
  EXPECT_EQ(merged(R"([{"token":"a"}])", R"([{"token":"a"}])"),
            Json::parse(R"([{"token":"a"},{"token":"a"}])"));
}

}  // namespace
}  // namespace llm_edge_cache::proxy
