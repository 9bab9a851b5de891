#include "core/cache_key.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <set>
#include <string>
#include <vector>

#include "llm_edge_cache/key.hpp"

namespace llm_edge_cache {
namespace {

using ::testing::HasSubstr;

CacheableRequest request() {
  return {"gpt-4o", "What is a bloom filter?"};
}

std::string key(const CacheableRequest& request) {
  const auto result = generate_cache_key(request);
  EXPECT_TRUE(result.ok()) << (result.ok() ? "" : result.error().message);
  return result.ok() ? *result : "";
}

void expect_no_key(const CacheableRequest& request, const std::string& field) {
  const auto result = generate_cache_key(request);
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(result.error().message, HasSubstr(field));
}

TEST(CacheKeyTest, is_64_lower_case_hex_digits) {
  const auto text = key(request());
  EXPECT_EQ(text.size(), 64U);
  EXPECT_EQ(text.find_first_not_of("0123456789abcdef"), std::string::npos);
}

TEST(CacheKeyTest, equal_requests_have_equal_keys) {
  EXPECT_EQ(key(request()), key(request()));
}

TEST(CacheKeyTest, every_field_counts_and_unset_differs_from_any_value) {
  const std::vector<CacheableRequest> different = {
      request(),
      {"gpt-4o-mini", "What is a bloom filter?"},
      {"gpt-4o", "What is a Bloom filter?"},
      {"gpt-4o", ""},
      {"", "What is a bloom filter?"},
      {"gpt-4oWhat is a bloom filter?", ""},
      request().with_temperature(0),
      request().with_temperature(0.01),
      request().with_temperature(-0.01),
      request().with_max_tokens(0),
      request().with_max_tokens(1),
      request().with_namespace("tenant"),
      request().with_parameter("top_p", 0),
      request().with_parameter("top_p", 1),
      request().with_parameter("top_p", "1"),
      request().with_parameter("top_p", ""),
      request().with_parameter("top_p", true),
      request().with_parameter("top_p", JsonText{"null"}),
      request().with_parameter("top_p", JsonText{"[]"}),
      request().with_parameter("top_p", JsonText{"{}"}),
      request().with_parameter("", 1),
      request().with_parameter("top_k", 1),
      request().with_parameter("top_k", 1).with_parameter("top_p", 1),
      request().with_parameter("max_tokens", 1),
      request().with_parameter("temperature", 0),
  };
  std::set<std::string> keys;
  for (const auto& one : different) {
    keys.insert(key(one));
  }
  EXPECT_EQ(keys.size(), different.size());
}

TEST(CacheKeyTest, temperature_has_two_decimals) {
  const auto at = [](double temperature) { return key(request().with_temperature(temperature)); };
  EXPECT_EQ(at(0.7), at(0.700001));
  EXPECT_EQ(at(0.7), at(0.7F));
  EXPECT_EQ(at(-0.0), at(0.0));
  EXPECT_EQ(at(-0.001), at(0.0));
  EXPECT_NE(at(0.7), at(0.71));
  EXPECT_NE(at(0.7), at(-0.7));
  EXPECT_EQ(at(kMaxTemperature), at(kMaxTemperature));
}

TEST(CacheKeyTest, temperature_must_be_a_sane_number) {
  using Limits = std::numeric_limits<double>;
  for (const double wrong : {Limits::quiet_NaN(), Limits::infinity(), -Limits::infinity(),
                             Limits::max(), -Limits::max(), 1e6 + 0.01}) {
    expect_no_key(request().with_temperature(wrong), "temperature");
  }
}

TEST(CacheKeyTest, order_and_spelling_of_parameters_do_not_matter) {
  const auto one = request()
                       .with_parameter("stop", JsonText{R"({"b":[1,2],"a":"\u0061"})"})
                       .with_parameter("top_p", 0.5);
  const auto other = request()
                         .with_parameter("top_p", JsonText{" 5e-1 "})
                         .with_parameter("stop", JsonText{R"( { "a" : "a", "b" : [1.0, 2e0] } )"});
  EXPECT_EQ(key(one), key(other));
  EXPECT_NE(key(one), key(request()
                              .with_parameter("stop", JsonText{R"({"b":[2,1],"a":"a"})"})
                              .with_parameter("top_p", 0.5)));
}

TEST(CacheKeyTest, a_name_cannot_pass_for_a_value) {
  EXPECT_NE(key(request().with_parameter("a", "b").with_parameter("c", "d")),
            key(request().with_parameter("a", "d").with_parameter("c", "b")));
  EXPECT_NE(key(request().with_parameter("a\"b", "c")), key(request().with_parameter("a", "b\"c")));
}

TEST(CacheKeyTest, parameters_must_be_json) {
  for (const auto* const wrong :
       {"", "{", "text", "1 2", R"({"a":1,"a":2})", R"("\ud800")", "01"}) {
    expect_no_key(request().with_parameter("tools", JsonText{wrong}), "parameter \"tools\"");
  }
  expect_no_key(request().with_parameter("user", "\xFF"), "UTF-8");
}

TEST(CacheKeyTest, the_default_namespace_is_that_of_requests_without_one) {
  const auto with_default = [](const CacheableRequest& r, std::string_view name) {
    return to_hex(*cache_key(r, name));
  };
  EXPECT_EQ(with_default(request(), ""), key(request()));
  EXPECT_EQ(with_default(request(), "a"), key(request().with_namespace("a")));
  EXPECT_NE(with_default(request(), "a"), with_default(request(), "b"));
  EXPECT_EQ(with_default(request().with_namespace("a"), "b"), key(request().with_namespace("a")));
  EXPECT_EQ(with_default(request().with_namespace(""), "b"), key(request().with_namespace("")));
}

TEST(CacheKeyTest, long_prompts_count_to_their_last_byte) {
  std::string prompt(1'000'000, 'x');
  const auto first = key({"m", prompt});
  prompt.back() = 'y';
  EXPECT_NE(key({"m", prompt}), first);
}

TEST(ShortKeyTest, is_the_first_16_digits) {
  const auto text = key(request());
  EXPECT_EQ(generate_short_key(text), text.substr(0, 16));
}

TEST(ShortKeyTest, shorter_text_is_returned_as_it_is) {
  EXPECT_EQ(generate_short_key("abc"), "abc");
  EXPECT_EQ(generate_short_key(""), "");
}

}  // namespace
}  // namespace llm_edge_cache
