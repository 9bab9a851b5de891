#include "proxy/dialects/json_view.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/parsed_json.hpp"

namespace llm_edge_cache::proxy::json_view_test {
namespace {

using Json = nlohmann::ordered_json;
using Kind = JsonView::Kind;

// Both that can hold a value: what is read must not depend on it.
enum class Holder { kParsedText, kMadeJson };

class JsonViewTest : public testing::TestWithParam<Holder> {
 protected:
  // Until the next call.
  JsonView view(std::string_view text) {
    parsed_.reset();
    made_ = Json();
    if (GetParam() == Holder::kMadeJson) {
      made_ = Json::parse(text);
      return made_;
    }
    auto parsed = ParsedJson::parse(text);
    EXPECT_TRUE(parsed.ok()) << text;
    parsed_.emplace(std::move(*parsed));
    return JsonView::of(*parsed_);
  }

 private:
  std::optional<ParsedJson> parsed_;
  Json made_;
};

INSTANTIATE_TEST_SUITE_P(Holders, JsonViewTest,
                         testing::Values(Holder::kParsedText, Holder::kMadeJson),
                         [](const auto& holder) {
                           return holder.param == Holder::kMadeJson ? "made_json" : "parsed_text";
                         });

TEST_P(JsonViewTest, tells_the_kinds_apart) {
  const std::vector<std::pair<std::string_view, Kind>> kinds = {
      {"null", Kind::kNull},    {"false", Kind::kFalse},
      {"true", Kind::kTrue},    {"0", Kind::kNumber},
      {"-1", Kind::kNumber},    {"1.5", Kind::kNumber},
      {R"("")", Kind::kString}, {"[]", Kind::kArray},
      {"{}", Kind::kObject},    {"18446744073709551615", Kind::kNumber}};
  for (const auto& [text, kind] : kinds) {
    EXPECT_EQ(view(text).kind(), kind) << text;
  }
}

TEST_P(JsonViewTest, null_and_what_has_no_elements_are_empty) {
  for (const auto* text : {"null", "[]", "{}"}) {
    EXPECT_TRUE(view(text).is_empty()) << text;
  }
  for (const auto* text : {"false", "0", R"("")", "[null]", R"({"a":null})"}) {
    EXPECT_FALSE(view(text).is_empty()) << text;
  }
}

TEST_P(JsonViewTest, text_is_unescaped_and_empty_for_what_is_none) {
  EXPECT_EQ(view(R"("a\u00e9\n\u0000b")").text(), std::string_view("a\xc3\xa9\n\0b", 6));
  for (const auto* text : {"null", "1", R"(["a"])", R"({"a":"a"})", "true"}) {
    EXPECT_EQ(view(text).text(), "") << text;
  }
}

TEST_P(JsonViewTest, equals_the_text_that_it_is) {
  EXPECT_TRUE(view(R"("list")") == "list");
  EXPECT_TRUE(view(R"("list")") != "lists");
  EXPECT_TRUE(view("null") != "");
  EXPECT_TRUE(view(R"("")") == "");
}

TEST_P(JsonViewTest, counts_are_whole_numbers_of_32_bits) {
  EXPECT_EQ(view("0").count(), 0U);
  EXPECT_EQ(view("4294967295").count(), 4294967295U);
  for (const auto* text : {"-1", "4294967296", "18446744073709551615", "1.5", "1.0", R"("1")",
                           "null", "true", "[1]", "{}"}) {
    EXPECT_EQ(view(text).count(), std::nullopt) << text;
  }
}

TEST_P(JsonViewTest, numbers_are_of_any_spelling) {
  EXPECT_EQ(view("-7").number(), -7);
  EXPECT_EQ(view("0.25").number(), 0.25);
  EXPECT_EQ(view("18446744073709551615").number(), 18446744073709551615.0);
  for (const auto* text : {R"("1")", "null", "true", "[1]"}) {
    EXPECT_EQ(view(text).number(), std::nullopt) << text;
  }
}

TEST_P(JsonViewTest, finds_members_by_their_unescaped_names) {
  const auto object = view(R"({"a":1,"b\u0063":{"d":[true]},"":"empty"})");
  EXPECT_EQ(object["a"].count(), 1U);
  EXPECT_TRUE((*object["bc"]["d"].begin()).is_true());
  EXPECT_EQ(object[""].text(), "empty");
}

TEST_P(JsonViewTest, a_member_that_is_not_there_is_null_at_any_depth) {
  EXPECT_TRUE(view(R"({"a":1})")["b"].is_null());
  EXPECT_TRUE(view(R"({"a":1})")["a"]["b"]["c"].is_null());
  for (const auto* text : {"null", "1", R"("a")", R"(["a"])"}) {
    EXPECT_TRUE(view(text)["a"].is_null()) << text;
  }
}

TEST_P(JsonViewTest, walks_the_elements_of_an_array_over_what_is_nested_in_them) {
  std::vector<std::string> types;
  for (const auto element : view(R"([{"type":"a","b":[[1],{}]},{"type":"c"},[{"type":"d"}]])")) {
    types.emplace_back(element["type"].text());
  }
  EXPECT_EQ(types, (std::vector<std::string>{"a", "c", ""}));
}

TEST_P(JsonViewTest, what_is_no_array_has_no_elements) {
  for (const auto* text : {"null", "1", R"("abc")", R"({"a":1})", "[]"}) {
    const auto value = view(text);
    EXPECT_TRUE(value.begin() == value.end()) << text;
  }
}

TEST_P(JsonViewTest, has_only_is_true_for_objects_without_further_members) {
  EXPECT_TRUE(has_only(view(R"({"a":1})"), {"a", "b"}));
  EXPECT_TRUE(has_only(view("{}"), {}));
  EXPECT_FALSE(has_only(view(R"({"a":1,"c":2})"), {"a", "b"}));
  EXPECT_FALSE(has_only(view("[]"), {"a"}));
  EXPECT_FALSE(has_only(view("null"), {"a"}));
}

TEST(JsonViewOfNothingTest, is_null) {
  EXPECT_TRUE(JsonView().is_null());
  EXPECT_TRUE(JsonView()["a"].is_null());
  EXPECT_TRUE(JsonView().begin() == JsonView().end());
}

TEST(JsonViewOfTextTest, of_members_with_one_name_the_last_is_taken) {
  const auto json = ParsedJson::parse(R"({"model":"a","n":1,"model":"b"})");
  ASSERT_TRUE(json.ok());
  EXPECT_EQ(JsonView::of(*json)["model"].text(), "b");
}

}  // namespace
}  // namespace llm_edge_cache::proxy::json_view_test
