#include "core/canonical_json.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

namespace llm_edge_cache {
namespace {

using ::testing::HasSubstr;

std::string canonical(std::string_view text, const CanonicalJsonOptions& options = {}) {
  const auto result = canonical_json(text, options);
  return result.ok() ? *result : "error: " + result.error().message;
}

void expect_invalid(std::string_view text, std::string_view reason = "") {
  const auto result = canonical_json(text);
  ASSERT_FALSE(result.ok()) << text << " became " << *result;
  EXPECT_EQ(result.error().code, ErrorCode::kInvalidArgument) << text;
  EXPECT_THAT(result.error().message, HasSubstr(std::string(reason))) << text;
}

TEST(CanonicalJsonTest, scalars) {
  EXPECT_EQ(canonical(" null "), "null");
  EXPECT_EQ(canonical("true"), "true");
  EXPECT_EQ(canonical("\tfalse\r\n"), "false");
  EXPECT_EQ(canonical(R"("text")"), R"("text")");
  EXPECT_EQ(canonical("-0"), "0");
  EXPECT_EQ(canonical("-0.0"), "0");
}

TEST(CanonicalJsonTest, white_space_goes) {
  EXPECT_EQ(canonical(" { \"a\" : [ 1 , 2\n] ,\t\"b\":{ } } "), R"({"a":[1,2],"b":{}})");
}

TEST(CanonicalJsonTest, spellings_of_a_number_are_one) {
  for (const auto* const text : {"100", "100.0", "1e2", "1E+2", "10.0e1", "0.1e3"}) {
    EXPECT_EQ(canonical(text), "100") << text;
  }
  EXPECT_EQ(canonical("[1E30,4.50,2e-3,0.000000000000000000000000001]"), "[1e+30,4.5,0.002,1e-27]");
  EXPECT_EQ(canonical("333333333.33333329"), "333333333.3333333");
}

TEST(CanonicalJsonTest, spellings_of_a_string_are_one) {
  EXPECT_EQ(canonical(R"("\u20ac\u0024\u000F\u000aA'\u0042\u0022\u005c\\\"\/")"),
            "\"\xE2\x82\xAC$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"");
  EXPECT_EQ(canonical(R"("\ud83d\ude00")"), "\"\xF0\x9F\x98\x80\"");
}

TEST(CanonicalJsonTest, members_are_sorted_and_items_are_not) {
  EXPECT_EQ(canonical(R"({"b":1,"a":[3,1,2],"":0,"ab":{"z":1,"y":2}})"),
            R"({"":0,"a":[3,1,2],"ab":{"y":2,"z":1},"b":1})");
}

TEST(CanonicalJsonTest, properties_of_a_schema_keep_their_order) {
  const std::string reasons_first =
      R"({"properties":{"reasoning":{"type":"string"},"answer":{"type":"string"}},"type":"object"})";
  const std::string answer_first =
      R"({"properties":{"answer":{"type":"string"},"reasoning":{"type":"string"}},"type":"object"})";
  EXPECT_EQ(canonical(reasons_first), reasons_first);
  EXPECT_EQ(canonical(answer_first), answer_first);
}

TEST(CanonicalJsonTest, properties_keep_their_order_wherever_they_are_and_nothing_else_does) {
  EXPECT_EQ(
      canonical(
          R"([{"type":0,"properties":{"z":{"b":1,"a":{"properties":{"y":1,"x":2}}},"c":0}}])"),
      R"([{"properties":{"z":{"a":{"properties":{"y":1,"x":2}},"b":1},"c":0},"type":0}])");
  EXPECT_EQ(canonical(R"({"properties":[{"b":1,"a":2}],"c":{"b":1,"a":2}})"),
            R"({"c":{"a":2,"b":1},"properties":[{"a":2,"b":1}]})");
}

TEST(CanonicalJsonTest, name_twice_among_properties_is_an_error) {
  expect_invalid(R"({"properties":{"b":1,"a":2,"b":3}})", "the name \"b\" twice");
  expect_invalid(R"({"properties":{"b":{"properties":{"d":1,"c":1,"\u0064":1}},"a":2}})",
                 "the name \"d\" twice");
}

TEST(CanonicalJsonTest, dropped_properties_go_and_are_validated) {
  const std::vector<std::string> dropped{"properties"};
  EXPECT_EQ(canonical(R"({"properties":{"b":1,"a":2},"c":1})", {.dropped_members = dropped}),
            R"({"c":1})");
  EXPECT_FALSE(
      canonical_json(R"({"properties":{"a":1,"a":2}})", {.dropped_members = dropped}).ok());
}

TEST(CanonicalJsonTest, names_are_sorted_by_utf16_code_units) {
  // In UTF-16: 0031, 0080, 00f6, 20ac, d83d de00, e000, fb33, ffff.
  EXPECT_EQ(canonical("{\"\\uffff\":8,\"\\ufb33\":7,\"\\ue000\":6,\"\\ud83d\\ude00\":5,"
                      "\"\\u20ac\":4,\"\\u00f6\":3,\"\\u0080\":2,\"1\":1}"),
            "{\"1\":1,\"\xC2\x80\":2,\"\xC3\xB6\":3,\"\xE2\x82\xAC\":4,\"\xF0\x9F\x98\x80\":5,"
            "\"\xEE\x80\x80\":6,\"\xEF\xAC\xB3\":7,\"\xEF\xBF\xBF\":8}");
}

TEST(CanonicalJsonTest, characters_beyond_the_basic_plane_sort_among_themselves) {
  EXPECT_EQ(canonical("{\"\xF4\x8F\xBF\xBF\":3,\"\xF0\x90\x80\x81\":2,\"\xF0\x90\x80\x80\":1}"),
            "{\"\xF0\x90\x80\x80\":1,\"\xF0\x90\x80\x81\":2,\"\xF4\x8F\xBF\xBF\":3}");
}

TEST(CanonicalJsonTest, integers_that_no_double_holds_keep_their_digits) {
  EXPECT_EQ(canonical("[9007199254740993,-9007199254740993,18446744073709551615]"),
            "[9007199254740993,-9007199254740993,18446744073709551615]");
  EXPECT_NE(canonical("9223372036854776000"), canonical("9223372036854775808"));
  EXPECT_EQ(canonical("9223372036854775808.0"), canonical("9223372036854775808"));
}

TEST(CanonicalJsonTest, numbers_out_of_range_are_refused) {
  expect_invalid("18446744073709551616", "number");
  expect_invalid("-9223372036854775809", "number");
  expect_invalid("1e400", "number");
  expect_invalid("[-1e309]", "number");
}

TEST(CanonicalJsonTest, a_name_twice_is_refused_however_it_is_spelled) {
  expect_invalid(R"({"a":1,"b":2,"a":1})", "the name \"a\" twice");
  expect_invalid(R"({"a":1,"\u0061":2})", "twice");
  expect_invalid(R"([{"x":{"":1,"":1}}])", "twice");
  EXPECT_EQ(canonical(R"({"a":{"a":{"a":1}},"b":{"a":1}})"), R"({"a":{"a":{"a":1}},"b":{"a":1}})");
}

TEST(CanonicalJsonTest, text_that_is_not_one_json_value_is_refused) {
  expect_invalid("", "no text");
  expect_invalid("   ");
  for (const auto* const text : {"{",
                                 "}",
                                 "[1,]",
                                 "[1 2]",
                                 "{\"a\"}",
                                 "{\"a\":}",
                                 "{\"a\":1,}",
                                 "{1:2}",
                                 "{\"a\":1}x",
                                 "1 2",
                                 "{} {}",
                                 "tru",
                                 "truex",
                                 "nul",
                                 "NaN",
                                 "Infinity",
                                 "01",
                                 "1.",
                                 ".1",
                                 "+1",
                                 "-",
                                 "1e",
                                 "0x10",
                                 "'a'",
                                 "\"a",
                                 "\"\t\"",
                                 "\"\\x\"",
                                 "\"\\u12\"",
                                 "// c\n1",
                                 "[1]/**/",
                                 "\xEF\xBB\xBF{}"}) {
    expect_invalid(text);
  }
  expect_invalid(std::string_view("1\0", 2));
  expect_invalid(std::string_view("{\"a\":1\0}", 8));
}

TEST(CanonicalJsonTest, text_that_is_not_unicode_is_refused) {
  for (const auto* const text :
       {"\"\xFF\"", "\"\xC3\"", "\"\xC0\x80\"", "\"\xED\xA0\x80\"", "\"\xF4\x90\x80\x80\"",
        "\"\xE2\x82\"", "\xFF", R"("\ud800")", R"("\udc00")", R"("\ud800\u0041")", R"("\ud800x")",
        R"("\ud83d\ud83d")", R"({"\ud800":1})"}) {
    expect_invalid(text);
  }
}

TEST(CanonicalJsonTest, nesting_is_bounded) {
  const auto nested = [](std::size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };
  EXPECT_EQ(canonical(nested(kMaxJsonDepth)), nested(kMaxJsonDepth));
  expect_invalid(nested(kMaxJsonDepth + 1), "nested too deeply");
  expect_invalid(nested(100'000), "nested too deeply");
}

TEST(CanonicalJsonTest, an_object_can_be_required) {
  const CanonicalJsonOptions options{.require_object = true};
  EXPECT_EQ(canonical(R"({"a":1})", options), R"({"a":1})");
  for (const auto* const text : {"[]", "1", "\"{}\"", "null", "true"}) {
    EXPECT_THAT(canonical(text, options), HasSubstr("not an object")) << text;
  }
}

TEST(CanonicalJsonTest, named_members_of_the_outermost_object_are_dropped) {
  const std::vector<std::string> dropped = {"user", "a", "z", "stream"};
  const CanonicalJsonOptions options{.dropped_members = dropped};
  EXPECT_EQ(canonical(R"({"z":1,"m":{"user":1},"a":[1],"b":2,"\u0075ser":3})", options),
            R"({"b":2,"m":{"user":1}})");
  EXPECT_EQ(canonical(R"({"user":1,"stream":true})", options), "{}");
  EXPECT_EQ(canonical(R"([{"user":1}])", options), R"([{"user":1}])");
  EXPECT_EQ(canonical(R"({"users":1,"use":2,"User":3})", options),
            R"({"User":3,"use":2,"users":1})");
}

TEST(CanonicalJsonTest, what_is_dropped_is_validated_all_the_same) {
  const std::vector<std::string> dropped = {"user"};
  const CanonicalJsonOptions options{.dropped_members = dropped};
  EXPECT_FALSE(canonical_json(R"({"user":1,"user":2})", options).ok());
  EXPECT_FALSE(canonical_json(R"({"user":{"a":1,"a":2}})", options).ok());
  EXPECT_FALSE(canonical_json(R"({"user":"\ud800"})", options).ok());
  EXPECT_FALSE(canonical_json(R"({"user":1e999})", options).ok());
}

TEST(CanonicalJsonTest, appends_to_what_is_there) {
  std::string out = "before ";
  ASSERT_TRUE(append_canonical_json(out, "[ 1 ]").ok());
  EXPECT_EQ(out, "before [1]");
}

TEST(CanonicalJsonTest, an_error_leaves_the_output_as_it_was) {
  std::string out = "before";
  EXPECT_FALSE(append_canonical_json(out, R"([1,2,{"a":1,"a":2}])").ok());
  EXPECT_FALSE(append_canonical_json(out, "[1").ok());
  EXPECT_EQ(out, "before");
}

TEST(CanonicalJsonTest, a_text_needs_nothing_readable_behind_it) {
  // Exactly sized heap memory, so that a sanitizer sees any read beyond.
  const std::string text = R"({"b":"text","a":1})";
  const std::vector<char> exact(text.begin(), text.end());
  EXPECT_EQ(canonical({exact.data(), exact.size()}), R"({"a":1,"b":"text"})");
}

TEST(CanonicalJsonTest, texts_of_all_sizes_follow_each_other) {
  for (const std::size_t size :
       {10U, 5'000U, 3'000'000U, 10U, 2'000'000U, 4'095U, 4'096U, 4'097U}) {
    const auto text = '"' + std::string(size - 2, 'x') + '"';
    EXPECT_EQ(canonical(text), text) << size;
  }
}

TEST(CanonicalJsonTest, the_first_text_of_a_thread_may_be_empty) {
  std::string result;
  std::thread([&result] { result = canonical(""); }).join();
  EXPECT_THAT(result, HasSubstr("no text"));
}

TEST(CanonicalJsonTest, large_objects_are_sorted) {
  std::string text = "{";
  std::string expected = "{";
  for (int i = 9'999; i >= 1'000; --i) {
    text += '"' + std::to_string(i) + "\":{\"b\":[],\"a\":{}},";
  }
  for (int i = 1'000; i <= 9'999; ++i) {
    expected += '"' + std::to_string(i) + "\":{\"a\":{},\"b\":[]},";
  }
  text.back() = '}';
  expected.back() = '}';
  EXPECT_EQ(canonical(text), expected);
}

TEST(CanonicalJsonTest, threads_work_at_the_same_time) {
  std::vector<std::thread> threads;
  std::vector<int> wrong(4);
  for (auto& count : wrong) {
    threads.emplace_back([&count] {
      for (int i = 0; i < 200; ++i) {
        count += canonical(R"({"b":[1.50],"a":"x"})") != R"({"a":"x","b":[1.5]})";
      }
    });
  }
  for (auto& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(wrong, std::vector<int>(4));
}

}  // namespace
}  // namespace llm_edge_cache
