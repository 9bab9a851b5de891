#include "llm_edge_cache/cacheable_request.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "llm_edge_cache/key.hpp"

namespace llm_edge_cache {
namespace {

template <class Value>
std::string parameter(Value&& value) {
  return CacheableRequest("m", "p")
      .with_parameter("x", std::forward<Value>(value))
      .parameters()
      .at("x");
}

TEST(CacheableRequestTest, what_is_not_set_is_absent) {
  const CacheableRequest request("model", "prompt");
  EXPECT_EQ(request.model(), "model");
  EXPECT_EQ(request.prompt(), "prompt");
  EXPECT_FALSE(request.temperature());
  EXPECT_FALSE(request.max_tokens());
  EXPECT_FALSE(request.name_space());
  EXPECT_TRUE(request.parameters().empty());
}

TEST(CacheableRequestTest, parameters_become_json) {
  EXPECT_EQ(parameter(0.9), "0.9");
  EXPECT_EQ(parameter(1.0), "1");
  EXPECT_EQ(parameter(42), "42");
  EXPECT_EQ(parameter(std::int64_t{-1}), "-1");
  EXPECT_EQ(parameter(std::numeric_limits<std::uint64_t>::max()), "18446744073709551615");
  EXPECT_EQ(parameter(true), "true");
  EXPECT_EQ(parameter(false), "false");
  EXPECT_EQ(parameter("te\"xt\n"), R"("te\"xt\n")");
  EXPECT_EQ(parameter(std::string("text")), R"("text")");
  EXPECT_EQ(parameter(std::string_view("text")), R"("text")");
  EXPECT_EQ(parameter(JsonText{"[1, 2]"}), "[1, 2]");
}

TEST(CacheableRequestTest, a_text_that_looks_like_json_stays_a_text) {
  EXPECT_EQ(parameter("true"), R"("true")");
  EXPECT_EQ(parameter("1"), R"("1")");
}

TEST(CacheableRequestTest, a_later_value_replaces_the_earlier) {
  const auto request = CacheableRequest("m", "p").with_parameter("x", 1).with_parameter("x", "2");
  EXPECT_EQ(request.parameters().size(), 1U);
  EXPECT_EQ(request.parameters().at("x"), R"("2")");
}

TEST(CacheableRequestTest, setters_work_on_a_named_request) {
  CacheableRequest request("m", "p");
  request.with_temperature(0.5).with_max_tokens(7).with_namespace("tenant").with_parameter("x", 1);
  EXPECT_EQ(request.temperature(), 0.5);
  EXPECT_EQ(request.max_tokens(), 7U);
  EXPECT_EQ(request.name_space(), "tenant");
  EXPECT_EQ(request.parameters().size(), 1U);
}

TEST(CacheableRequestTest, a_parameter_that_is_not_finite_is_reported_with_the_key) {
  for (const double value :
       {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
    const auto key = generate_cache_key(CacheableRequest("m", "p").with_parameter("top_p", value));
    ASSERT_FALSE(key.ok());
    EXPECT_EQ(key.error().code, ErrorCode::kInvalidArgument);
    EXPECT_NE(key.error().message.find("top_p"), std::string::npos);
  }
}

}  // namespace
}  // namespace llm_edge_cache
