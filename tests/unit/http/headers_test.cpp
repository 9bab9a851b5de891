#include "http/headers.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace llm_edge_cache::http {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

std::vector<std::pair<std::string, std::string>> fields_of(const Headers& headers) {
  std::vector<std::pair<std::string, std::string>> fields;
  for (const HeaderField field : headers) fields.emplace_back(field.name, field.value);
  return fields;
}

TEST(HeadersTest, keep_order_case_and_duplicates) {
  Headers headers{{"Accept", "a"}, {"X-B", "1"}};
  headers.add("x-b", "2");
  EXPECT_THAT(fields_of(headers),
              ElementsAre(Pair("Accept", "a"), Pair("X-B", "1"), Pair("x-b", "2")));
  EXPECT_EQ(headers.size(), 3U);
}

TEST(HeadersTest, lookup_ignores_case_and_finds_the_first) {
  const Headers headers{{"X-B", "1"}, {"x-b", "2"}};
  EXPECT_EQ(headers.get("x-B"), "1");
  EXPECT_EQ(headers.get("x-c"), std::nullopt);
  EXPECT_EQ(headers.count("X-B"), 2U);
  EXPECT_THAT(headers.all("X-B"), ElementsAre("1", "2"));
  EXPECT_TRUE(headers.contains("X-B"));
}

TEST(HeadersTest, set_replaces_all_at_the_place_of_the_first) {
  Headers headers{{"A", "1"}, {"B", "2"}, {"a", "3"}};
  headers.set("a", "a longer value");
  EXPECT_THAT(fields_of(headers), ElementsAre(Pair("a", "a longer value"), Pair("B", "2")));
  headers.set("C", "new");
  EXPECT_EQ(headers.get("c"), "new");
}

TEST(HeadersTest, erase_takes_all_of_a_name) {
  Headers headers{{"A", "1"}, {"B", "2"}, {"a", "3"}};
  EXPECT_EQ(headers.erase("A"), 2U);
  EXPECT_EQ(headers.erase("A"), 0U);
  EXPECT_THAT(fields_of(headers), ElementsAre(Pair("B", "2")));
  headers.clear();
  EXPECT_TRUE(headers.empty());
}

TEST(HeadersTest, copies_are_independent) {
  Headers original{{"A", "1"}};
  Headers copy = original;
  copy.set("A", "2");
  EXPECT_EQ(original.get("A"), "1");
  EXPECT_EQ(copy.get("A"), "2");
}

TEST(HeadersTest, tokens_are_found_in_lists_over_several_fields) {
  const Headers headers{{"Connection", " close ,, X-Hop"}, {"connection", "Upgrade"}};
  EXPECT_TRUE(headers.has_token("Connection", "CLOSE"));
  EXPECT_TRUE(headers.has_token("Connection", "x-hop"));
  EXPECT_TRUE(headers.has_token("Connection", "upgrade"));
  EXPECT_FALSE(headers.has_token("Connection", "clos"));
  EXPECT_FALSE(headers.has_token("Other", "close"));
}

TEST(HeadersTest, list_members_are_trimmed_and_empty_ones_left_out) {
  const auto tokens = [](std::string_view list) {
    std::vector<std::string> found;
    for_each_token(list, [&](std::string_view token) { found.emplace_back(token); });
    return found;
  };
  EXPECT_THAT(tokens("a,\t b c ,,d"), ElementsAre("a", "b c", "d"));
  EXPECT_THAT(tokens(" , ,"), IsEmpty());
  EXPECT_THAT(tokens(""), IsEmpty());
}

TEST(HeadersTest, each_field_of_a_name_is_visited_in_order) {
  const Headers headers{{"A", "1"}, {"b", "2"}, {"a", "3"}};
  std::string seen;
  headers.for_each("a", [&seen](std::string_view value) { seen += value; });
  EXPECT_EQ(seen, "13");
}

TEST(HeadersTest, overwriting_touches_the_first_of_a_name_and_takes_as_many_bytes) {
  Headers headers{{"A", "12"}, {"b", "34"}, {"a", "56"}};
  headers.overwrite("a", "78");
  EXPECT_EQ(headers.all("a"), (std::vector<std::string_view>{"78", "56"}));
  headers.overwrite("a", "9");
  headers.overwrite("c", "00");
  EXPECT_EQ(headers.get("a"), "78");
  EXPECT_EQ(headers.get("b"), "34");
}

TEST(HeadersTest, cleared_headers_keep_their_memory) {
  Headers headers{{"name", std::string(100, 'x')}};
  const auto before = headers.memory_bytes();
  EXPECT_GE(before, 100U);
  headers.clear();
  EXPECT_EQ(headers.memory_bytes(), before);
}

TEST(HeadersTest, fields_go_by_how_their_names_begin) {
  Headers headers = {{"X-Own-A", "1"}, {"x-own-", "2"}, {"x-own", "3"}, {"x-ow", "4"}};
  EXPECT_EQ(headers.erase_prefixed("x-own-"), 2U);
  ASSERT_EQ(headers.size(), 2U);
  EXPECT_EQ(headers[0].name, "x-own");
  EXPECT_EQ(headers[1].name, "x-ow");
}

TEST(HeadersTest, a_name_is_a_token) {
  EXPECT_TRUE(is_field_name("x-llm_cache.Key~1"));
  for (const auto* text : {"", " ", "a b", "a:", "a,b", "a\r", "\xc3\xa4", "(a)"}) {
    EXPECT_FALSE(is_field_name(text)) << text;
  }
}

TEST(EqualsIgnoreCaseTest, judges_every_pair_of_bytes_alike_at_every_place) {
  const auto lower = [](int c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; };
  for (const std::size_t size : {1U, 8U, 9U, 19U}) {
    for (std::size_t at = 0; at < size; at += 3) {
      for (int x = 0; x < 256; ++x) {
        for (int y = 0; y < 256; ++y) {
          std::string a(size, 'K');
          std::string b(size, 'k');
          a[at] = static_cast<char>(x);
          b[at] = static_cast<char>(y);
          ASSERT_EQ(equals_ignore_case(a, b), lower(x) == lower(y)) << x << " " << y << " " << at;
        }
      }
    }
  }
}

TEST(EqualsIgnoreCaseTest, folds_ascii_letters_only) {
  EXPECT_TRUE(equals_ignore_case("AbZ", "aBz"));
  EXPECT_FALSE(equals_ignore_case("a", "ab"));
  EXPECT_FALSE(equals_ignore_case("@", "`"));
  EXPECT_FALSE(equals_ignore_case("[", "{"));
}

TEST(IsFieldValueTest, a_control_character_is_found_at_any_place_and_a_tab_is_none) {
  for (std::size_t size = 1; size <= 40; ++size) {
    for (std::size_t at = 0; at < size; ++at) {
      for (int byte = 0; byte < 256; ++byte) {
        std::string text(size, 'x');
        text[at] = static_cast<char>(byte);
        const bool is_good = (byte >= 0x20 && byte != 0x7f) || byte == '\t';
        ASSERT_EQ(is_field_value(text), is_good) << size << ' ' << at << ' ' << byte;
      }
    }
  }
  EXPECT_TRUE(is_field_value(""));
}

TEST(IsFieldValueTest, bytes_beside_each_other_do_not_hide_one_another) {
  EXPECT_TRUE(is_field_value("\t\t\t\t\xff\x80 \t"));
  EXPECT_FALSE(is_field_value("\t\t\t\n\t\t\t\t"));
  EXPECT_FALSE(is_field_value(" !\x7f~\x80\xff\x20\x21"));
  EXPECT_TRUE(is_field_value("\x20\x21\x80\x81\xa0\xa1\xff\x7e"));
}

}  // namespace
}  // namespace llm_edge_cache::http
