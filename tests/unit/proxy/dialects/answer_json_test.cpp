#include "proxy/dialects/answer_json.hpp"

#include <gtest/gtest.h>

#include <string>

#include "core/parsed_json.hpp"

namespace llm_edge_cache::proxy::answer_json_test {
namespace {

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
  EXPECT_TRUE(parse_answer_json(nested(128)));
  EXPECT_FALSE(parse_answer_json(nested(129)));
  EXPECT_FALSE(parse_answer_json(nested(2'000'000)));
}

TEST(ParseAnswerJsonTest, counts_no_brackets_within_strings) {
  EXPECT_TRUE(parse_answer_json('"' + std::string(1'000, '[') + "\\\"" + '"'));
}

TEST(ParseAnswerJsonTest, refuses_a_member_that_is_there_twice_at_any_depth) {
  for (const auto* text : {R"({"a":1,"a":1})", R"({"a":1,"b":2,"a":3})", R"([{"a":{"b":1,"b":2}}])",
                           R"({"a":[1,{"b":null,"b":null}],"c":{}})", R"({"a":1,"\u0061":1})",
                           R"({"":1,"":1})", R"({"a":{},"a":{"b":1}})"}) {
    EXPECT_FALSE(parse_answer_json(text)) << text;
  }
}

TEST(ParseAnswerJsonTest, takes_one_name_in_several_objects_and_colons_in_text) {
  for (const auto* text : {R"([{"a":1},{"a":1}])", R"({"a":{"a":{"a":":::"}}})",
                           R"({"a:":1,"a":"\":{","b":[]})", R"({"a":{},"b":{"a":1}})", "[]", "1"}) {
    EXPECT_TRUE(parse_answer_json(text)) << text;
  }
}

TEST(ParseAnswerJsonTest, an_object_of_very_many_members_is_refused_before_it_is_built) {
  const auto object_of = [](int members) {
    std::string text = "{";
    for (int i = 0; i < members; ++i) {
      text += (i == 0 ? "\"" : ",\"") + std::to_string(i) + "\":0";
    }
    return text + "}";
  };
  EXPECT_TRUE(parse_answer_json(object_of(5'000)));
  EXPECT_FALSE(parse_answer_json(object_of(1'000'000)));
  EXPECT_TRUE(parse_answer_json("[" + object_of(300) + "," + object_of(300) + "]"));
}

TEST(HasUniqueNamesTest, agrees_with_what_parse_answer_json_refuses) {
  for (const auto* text : {R"({"a":1,"a":1})", R"({"a":1,"b":2,"a":3})", R"([{"a":{"b":1,"b":2}}])",
                           R"({"a":[1,{"b":null,"b":null}],"c":{}})", R"({"a":1,"\u0061":1})",
                           R"({"":1,"":1})", R"([{"a":1},{"a":1}])", R"({"a":{"a":{"a":":::"}}})",
                           R"({"a:":1,"a":"\":{","b":[]})", R"({"a":{},"b":{"a":1}})", "[]", "1",
                           R"("text")", "null", R"([[[{"a":1,"b":2,"c":3,"b":4}]]])"}) {
    const bool is_taken = parse_answer_json(text).has_value();
    const auto json = ParsedJson::parse(text);
    ASSERT_TRUE(json.ok()) << text;
    EXPECT_EQ(has_unique_names(*json), is_taken) << text;
  }
}

TEST(HasUniqueNamesTest, finds_a_name_twice_among_few_and_among_many) {
  // Members n1, n2, .. and one more.
  const auto are_unique = [](int members, const std::string& last) {
    std::string text = "{";
    for (int i = 1; i < members; ++i) {
      text += "\"n" + std::to_string(i) + "\":{},";
    }
    const auto json = ParsedJson::parse(text + '"' + last + "\":0}");
    EXPECT_TRUE(json.ok()) << text;
    return has_unique_names(*json);
  };
  for (int members = 1; members <= 40; ++members) {
    EXPECT_TRUE(are_unique(members, "n0")) << members;
    for (int twice = 1; twice < members; ++twice) {
      EXPECT_FALSE(are_unique(members, "n" + std::to_string(twice))) << members << ' ' << twice;
    }
  }
}

TEST(MemberOfTest, is_null_where_there_is_no_such_member) {
  EXPECT_TRUE(member_of(Json::parse("{}"), "a").is_null());
  EXPECT_TRUE(member_of(Json::parse("[1]"), "a").is_null());
  EXPECT_EQ(member_of(Json::parse(R"({"a":1})"), "a"), 1);
}

TEST(ParseAnswerJsonTest, refuses_whole_numbers_that_would_not_be_written_again_as_they_are) {
  EXPECT_FALSE(parse_answer_json("18446744073709551616"));
  EXPECT_FALSE(parse_answer_json(R"({"a":123456789012345678901234})"));
  EXPECT_FALSE(parse_answer_json("[-9223372036854775809]"));
}

TEST(ParseAnswerJsonTest, writes_again_what_it_read) {
  for (const auto* text :
       {R"({"b":[1,-1,0,{"c":[]}],"a":{"x":null,"":true}})", "18446744073709551615",
        "-9223372036854775808", "[0.1,-0.5,1e-07,1.5,100.0]", R"(["\u0000\"\\\n","é😀",""])", "[]",
        "{}", "\"text\"", "false"}) {
    EXPECT_EQ(parse_answer_json(text)->dump(), text);
    EXPECT_EQ(*parse_answer_json(text), Json::parse(text)) << text;
  }
}

TEST(ParseAnswerJsonTest, tells_counts_from_negative_numbers) {
  EXPECT_TRUE(parse_answer_json("0")->is_number_unsigned());
  EXPECT_TRUE(parse_answer_json("7")->is_number_unsigned());
  EXPECT_FALSE(parse_answer_json("-7")->is_number_unsigned());
  EXPECT_TRUE(parse_answer_json("7.0")->is_number_float());
}

TEST(ParseAnswerJsonTest, a_large_text_leaves_the_next_one_unharmed) {
  EXPECT_TRUE(parse_answer_json('"' + std::string(3U << 20U, 'x') + '"'));
  EXPECT_EQ(parse_answer_json(R"({"a":[1]})")->dump(), R"({"a":[1]})");
  EXPECT_FALSE(parse_answer_json('"' + std::string(3U << 20U, 'x')));
  EXPECT_EQ(parse_answer_json("[1]")->dump(), "[1]");
}

TEST(ParseAnswerJsonTest, takes_fractions_exponents_and_digits_in_text) {
  EXPECT_TRUE(parse_answer_json("[0.12345678901234567890, 1.5e+10, 1E5, -0.0]"));
  EXPECT_TRUE(parse_answer_json(R"(["12345678901234567890", true, false])"));
}

TEST(SaysTheSameTest, looks_at_everything_but_the_order_of_members) {
  EXPECT_TRUE(says_the_same(Json::parse(R"({"a":1,"b":[{"c":2,"d":3}]})"),
                            Json::parse(R"({"b":[{"d":3,"c":2}],"a":1})")));
  EXPECT_FALSE(says_the_same(Json::parse("[1,2]"), Json::parse("[2,1]")));
  EXPECT_FALSE(says_the_same(Json::parse(R"({"a":null})"), Json::parse("{}")));
}

}  // namespace
}  // namespace llm_edge_cache::proxy::answer_json_test
