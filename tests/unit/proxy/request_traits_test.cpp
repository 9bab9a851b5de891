#include "proxy/request_traits.hpp"

#include <gtest/gtest.h>

#include "core/parsed_json.hpp"

namespace llm_edge_cache::proxy::request_traits_test {
namespace {

RequestTraits traits(std::string_view body, std::string_view path = "/v1/chat/completions",
                     AnswerForm form = AnswerForm::kJson) {
  const auto json = ParsedJson::parse(body);
  return read_request_traits(path, {.form = form}, json.ok() ? JsonView::of(*json) : JsonView());
}

TEST(RequestTraitsTest, reads_model_path_and_form) {
  const auto read = traits(R"({"model":"claude-sonnet"})", "/v1/messages", AnswerForm::kStream);
  EXPECT_EQ(read.model, "claude-sonnet");
  EXPECT_EQ(read.path, "/v1/messages");
  EXPECT_TRUE(read.is_streamed);
  EXPECT_FALSE(traits("{}").is_streamed);
}

TEST(RequestTraitsTest, a_request_samples_unless_its_temperature_is_zero) {
  EXPECT_TRUE(traits("{}").samples);
  EXPECT_TRUE(traits(R"({"temperature":null})").samples);
  EXPECT_TRUE(traits(R"({"temperature":0.01})").samples);
  EXPECT_TRUE(traits(R"({"temperature":1})").samples);
  EXPECT_FALSE(traits(R"({"temperature":0})").samples);
  EXPECT_FALSE(traits(R"({"temperature":0.0})").samples);
  EXPECT_FALSE(traits(R"({"temperature":-0.0})").samples);
}

TEST(RequestTraitsTest, tools_are_there_where_one_is) {
  EXPECT_TRUE(traits(R"({"tools":[{"type":"function"}]})").has_tools);
  EXPECT_TRUE(traits(R"({"functions":[{"name":"f"}]})").has_tools);
  EXPECT_FALSE(traits(R"({"tools":[]})").has_tools);
  EXPECT_FALSE(traits(R"({"tools":null})").has_tools);
  EXPECT_FALSE(traits(R"({"tools":{}})").has_tools);
  EXPECT_TRUE(traits(R"({"tools":"all"})").has_tools);
  EXPECT_FALSE(traits("{}").has_tools);
}

TEST(RequestTraitsTest, of_what_is_no_request_nothing_is_known) {
  for (const auto* body : {"", "[]", "{", R"({"model":5})"}) {
    EXPECT_EQ(traits(body), traits("{}")) << body;
  }
}

}  // namespace
}  // namespace llm_edge_cache::proxy::request_traits_test
