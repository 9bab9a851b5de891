// Properties over random values: how a value is spelled never matters, what it is always does.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "core/canonical_json.hpp"

namespace llm_edge_cache {
namespace {

using Json = nlohmann::json;

class RandomJson {
 public:
  explicit RandomJson(unsigned seed) : random_(seed) {}

  std::size_t below(std::size_t bound) { return random_() % bound; }

  Json value(int depth) {
    switch (below(depth > 0 ? 8 : 6)) {
      case 0:
        return nullptr;
      case 1:
        return below(2) == 0;
      case 2:
        return static_cast<std::int64_t>(random_());
      case 3:
        return static_cast<std::int64_t>(below(100)) - 50;
      case 4:
        return std::ldexp(static_cast<double>(below(1U << 20U)) + 0.5, -30 + int(below(60)));
      case 5:
        return text();
      case 6:
        return array(depth);
      default:
        return object(depth);
    }
  }

  Json object(int depth) {
    Json object = Json::object();
    for (auto count = below(6); count > 0; --count) {
      object[text()] = value(depth - 1);
    }
    return object;
  }

  // The same value, spelled at random: order of members, white space, escapes, number forms.
  std::string spell(const Json& value) {
    if (value.is_object()) {
      return spell_object(value);
    }
    if (value.is_array()) {
      std::string out = "[";
      for (const auto& item : value) {
        out += (out.size() > 1 ? "," : "") + space() + spell(item) + space();
      }
      return out + "]";
    }
    if (value.is_string()) {
      return spell_string(value.get<std::string>());
    }
    auto out = value.dump();
    if (value.is_number_integer() && value != 0 && out.size() < 12 && below(3) == 0) {
      out += below(2) == 0 ? ".0" : "0.0e-1";
    }
    return out;
  }

 private:
  Json array(int depth) {
    Json array = Json::array();
    for (auto count = below(5); count > 0; --count) {
      array.push_back(value(depth - 1));
    }
    return array;
  }

  std::string text() {
    constexpr const char* kPieces[] = {
        "a", "b", "\"", "\\", "\n", "\x01", "\xC3\xA9", "\xEF\xBF\xBD", "\xF0\x9F\x98\x80", "/"};
    std::string out;
    for (auto count = below(5); count > 0; --count) {
      out += kPieces[below(std::size(kPieces))];
    }
    return out;
  }

  std::string space() { return std::string(below(3), " \n\t\r"[below(4)]); }

  std::string spell_string(const std::string& text) {
    const bool escape_non_ascii = below(2) == 0;
    auto out = Json(text).dump(-1, ' ', escape_non_ascii);
    if (!text.empty() && text[0] == 'a' && below(2) == 0) {
      out.replace(1, 1, "\\u0061");
    }
    return out;
  }

  std::string spell_object(const Json& value) {
    std::vector<std::string> members;
    for (const auto& [name, member] : value.items()) {
      members.push_back(space() + spell_string(name) + space() + ":" + space() + spell(member) +
                        space());
    }
    std::ranges::shuffle(members, random_);
    std::string out = "{";
    for (const auto& member : members) {
      out += (out.size() > 1 ? "," : "") + member;
    }
    return out + "}";
  }

  std::mt19937_64 random_;
};

std::string canonical(const std::string& text) {
  const auto result = canonical_json(text);
  EXPECT_TRUE(result.ok()) << text;
  return result.ok() ? *result : "";
}

TEST(CanonicalJsonPropertyTest, spelling_never_matters) {
  RandomJson random(1);
  for (int i = 0; i < 2'000; ++i) {
    const auto value = random.object(4);
    const auto expected = canonical(value.dump());
    for (int spelling = 0; spelling < 3; ++spelling) {
      ASSERT_EQ(canonical(random.spell(value)), expected);
    }
  }
}

TEST(CanonicalJsonPropertyTest, canonical_text_is_its_own_canonical_form_and_the_same_value) {
  RandomJson random(2);
  for (int i = 0; i < 2'000; ++i) {
    const auto value = random.value(4);
    const auto text = canonical(value.dump());
    ASSERT_EQ(canonical(text), text);
    ASSERT_EQ(Json::parse(text), value) << text;
  }
}

// Every value differs from every other, so do their texts.
TEST(CanonicalJsonPropertyTest, any_change_of_value_changes_the_text) {
  RandomJson random(3);
  std::vector<std::pair<std::string, Json>> seen;
  for (int i = 0; i < 300; ++i) {
    auto value = random.value(2);
    seen.emplace_back(canonical(value.dump()), std::move(value));
  }
  for (const auto& [left_text, left] : seen) {
    for (const auto& [right_text, right] : seen) {
      ASSERT_EQ(left_text == right_text, left == right) << left_text << " " << right_text;
    }
  }
}

TEST(CanonicalJsonPropertyTest, any_changed_leaf_changes_the_text) {
  RandomJson random(4);
  int changed = 0;
  for (int i = 0; i < 1'000; ++i) {
    const auto value = random.object(3);
    const auto flat = value.flatten();
    if (flat.empty() || !value.is_object() || value.empty()) {
      continue;
    }
    auto leaf = flat.begin();
    std::advance(leaf, static_cast<std::ptrdiff_t>(random.below(flat.size())));
    auto other = value;
    other[Json::json_pointer(leaf.key())] = random.value(1);
    if (other != value) {
      ++changed;
      ASSERT_NE(canonical(other.dump()), canonical(value.dump()));
    }
  }
  EXPECT_GT(changed, 500);
}

}  // namespace
}  // namespace llm_edge_cache
