#include "proxy/dialects/raw_json.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace llm_edge_cache::proxy::raw_json_test {
namespace {

using Members = std::vector<std::pair<std::string, std::string>>;

Members members_of(std::string_view text) {
  Members members;
  const bool is_object = for_each_raw_member(text, [&](auto name, auto value) {
    members.emplace_back(name, value);
    return true;
  });
  return is_object ? members : Members{{"no", "object"}};
}

std::vector<std::string> elements_of(std::string_view text) {
  std::vector<std::string> elements;
  const bool is_array = for_each_raw_element(text, [&](auto value) {
    elements.emplace_back(value);
    return true;
  });
  return is_array ? elements : std::vector<std::string>{"no array"};
}

TEST(RawJsonTest, gives_members_as_they_are_written) {
  EXPECT_EQ(members_of(R"( { "a" : 1.50 , "b":[ {"c":"]}"} ],"d":"x\"y","e":{} } )"),
            (Members{{"a", "1.50"}, {"b", R"([ {"c":"]}"} ])"}, {"d", R"("x\"y")"}, {"e", "{}"}}));
  EXPECT_EQ(members_of("{}"), Members());
}

TEST(RawJsonTest, gives_elements_as_they_are_written) {
  EXPECT_EQ(elements_of("[ 1e5, [2] ,\"a,b\" ]"),
            (std::vector<std::string>{"1e5", "[2]", "\"a,b\""}));
  EXPECT_EQ(elements_of("[]"), std::vector<std::string>());
}

TEST(RawJsonTest, refuses_another_structure) {
  for (const auto* text : {"", "[]", "{", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{\"a\":1} x",
                           "{a:1}", "{\"a\":\"x}", "{\"a\":[1}", "{\"\\u0061\":1}"}) {
    EXPECT_EQ(members_of(text), (Members{{"no", "object"}})) << text;
  }
  for (const auto* text : {"", "{}", "[", "[1,]", "[,1]", "[1] 2", "[1 2]"}) {
    EXPECT_EQ(elements_of(text), std::vector<std::string>{"no array"}) << text;
  }
}

TEST(RawJsonTest, ends_where_the_visitor_says_so) {
  int seen = 0;
  EXPECT_FALSE(for_each_raw_element("[1,2,3]", [&](auto) { return ++seen < 2; }));
  EXPECT_EQ(seen, 2);
}

TEST(RawJsonTest, knows_arrays_of_numbers) {
  for (const auto* text : {"[]", "[0]", "[-0.5,1e-05, 12.25E+3 ,7]"}) {
    EXPECT_TRUE(is_raw_number_array(text)) << text;
  }
  for (const auto* text : {"", "1", "[1", "[1,]", "[01]", "[.5]", "[1.]", "[1e]", "[-]", "[NaN]",
                           "[null]", "[\"1\"]", "[[1]]", "[1]x", "[+1]"}) {
    EXPECT_FALSE(is_raw_number_array(text)) << text;
  }
}

TEST(RawJsonTest, knows_base64) {
  for (const auto* text : {R"("")", R"("AAAA")", R"("Ab+/9A==")", R"("AbC=")"}) {
    EXPECT_TRUE(is_raw_base64(text)) << text;
  }
  for (const auto* text : {"", "\"", "AAAA", R"("AAA")", R"("A===")", R"("AA=A")", R"("AA\n")"}) {
    EXPECT_FALSE(is_raw_base64(text)) << text;
  }
}

}  // namespace
}  // namespace llm_edge_cache::proxy::raw_json_test
