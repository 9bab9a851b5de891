#include "proxy/dialects/delta_merge.hpp"

#include <gtest/gtest.h>

namespace llm_edge_cache::proxy::delta_merge_test {
namespace {

// The result, or a word for a guess.
Json merged(const char* target, const char* delta) {
  Json value = Json::parse(target);
  return merge_delta(value, Json::parse(delta)) ? value : Json("guess");
}

TEST(MergeDeltaTest, text_of_members_known_to_grow_is_appended) {
  EXPECT_EQ(merged(R"({"content":"ab"})", R"({"content":"cd"})"),
            Json::parse(R"({"content":"abcd"})"));
  EXPECT_EQ(merged(R"({"reasoning_content":"a","refusal":"b"})",
                   R"({"reasoning_content":"c","refusal":"d"})"),
            Json::parse(R"({"reasoning_content":"ac","refusal":"bd"})"));
}

TEST(MergeDeltaTest, other_text_stays_where_it_is_repeated) {
  EXPECT_EQ(merged(R"({"id":"call_1","type":"function"})", R"({"id":"call_1","type":"function"})"),
            Json::parse(R"({"id":"call_1","type":"function"})"));
}

TEST(MergeDeltaTest, other_text_that_changes_is_a_guess) {
  EXPECT_EQ(merged(R"({"id":"call_1"})", R"({"id":"call_2"})"), "guess");
  EXPECT_EQ(merged(R"({"novelty":"a"})", R"({"novelty":"b"})"), "guess");
  EXPECT_EQ(merged(R"({"n":1})", R"({"n":2})"), "guess");
}

// "ha" and "ha" may be "haha", and may be "ha" said twice.
TEST(MergeDeltaTest, equal_pieces_of_what_may_grow_are_a_guess) {
  EXPECT_EQ(merged(R"({"novelty":"ha"})", R"({"novelty":"ha"})"), "guess");
  EXPECT_EQ(merged(R"({"content":[{"type":"text","text":"ha"}]})",
                   R"({"content":[{"type":"text","text":"ha"}]})"),
            "guess");
  EXPECT_EQ(merged(R"({"novelty":"ha","content":[]})", R"({"novelty":"","content":[]})"),
            Json::parse(R"({"novelty":"ha","content":[]})"));
}

TEST(MergeDeltaTest, null_changes_nothing) {
  EXPECT_EQ(merged(R"({"a":"x"})", R"({"a":null})"), Json::parse(R"({"a":"x"})"));
}

TEST(MergeDeltaTest, a_value_takes_the_place_of_nothing) {
  EXPECT_EQ(merged(R"({"a":null,"b":""})", R"({"a":"x","b":"y","c":[1]})"),
            Json::parse(R"({"a":"x","b":"y","c":[1]})"));
}

TEST(MergeDeltaTest, objects_merge_in_depth) {
  EXPECT_EQ(
      merged(R"({"audio":{"transcript":"aa"}})", R"({"audio":{"transcript":"bb","expires_at":7}})"),
      Json::parse(R"({"audio":{"transcript":"aabb","expires_at":7}})"));
}

TEST(MergeDeltaTest, encoded_bytes_go_on_where_they_are_not_padded) {
  EXPECT_EQ(merged(R"({"data":"AAAA"})", R"({"data":"BBB="})"),
            Json::parse(R"({"data":"AAAABBB="})"));
  EXPECT_EQ(merged(R"({"data":"AAA="})", R"({"data":"BBBB"})"), "guess");
  EXPECT_EQ(merged(R"({"data":"AAA"})", R"({"data":"BBBB"})"), "guess");
}

TEST(MergeDeltaTest, elements_with_an_index_merge_with_their_like) {
  EXPECT_EQ(
      merged(R"([{"index":0,"text":"a"},{"index":1,"text":"b"}])", R"([{"index":1,"text":"c"}])"),
      Json::parse(R"([{"index":0,"text":"a"},{"index":1,"text":"bc"}])"));
}

TEST(MergeDeltaTest, elements_out_of_order_or_without_an_index_are_a_guess) {
  EXPECT_EQ(merged("{}", R"({"tool_calls":[{"index":1,"id":"a"}]})"), "guess");
  EXPECT_EQ(merged("[1]", "[2]"), "guess");
  EXPECT_EQ(merged(R"({"citations":["u"]})", R"({"citations":["u"]})"),
            Json::parse(R"({"citations":["u"]})"));
}

TEST(MergeDeltaTest, annotations_are_appended) {
  EXPECT_EQ(merged(R"({"annotations":[{"type":"a"}]})", R"({"annotations":[{"type":"a"}]})"),
            Json::parse(R"({"annotations":[{"type":"a"},{"type":"a"}]})"));
}

TEST(AppendLogprobsTest, appends_each_list_to_its_like) {
  Json target;
  EXPECT_TRUE(append_logprobs(target, Json::parse(R"({"content":[1],"refusal":null})")));
  EXPECT_TRUE(append_logprobs(target, Json()));
  EXPECT_TRUE(append_logprobs(target, Json::parse(R"({"content":[1,2],"refusal":[3]})")));
  EXPECT_EQ(target, Json::parse(R"({"content":[1,1,2],"refusal":[3]})"));
}

TEST(AppendLogprobsTest, what_is_no_object_of_lists_is_a_guess) {
  Json target = Json::parse(R"({"content":[1]})");
  EXPECT_FALSE(append_logprobs(target, Json::parse(R"({"content":"x"})")));
  Json empty;
  EXPECT_FALSE(append_logprobs(empty, Json("x")));
}

TEST(MergeRepeatedTest, two_different_values_are_a_guess) {
  Json target = "a";
  EXPECT_TRUE(merge_repeated(target, "a"));
  EXPECT_TRUE(merge_repeated(target, ""));
  EXPECT_TRUE(merge_repeated(target, Json()));
  EXPECT_EQ(target, "a");
  EXPECT_FALSE(merge_repeated(target, "b"));
}

}  // namespace
}  // namespace llm_edge_cache::proxy::delta_merge_test
