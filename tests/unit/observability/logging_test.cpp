#include "observability/logging.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>

namespace llm_edge_cache::observability {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;

std::string logged(const LogOptions& options, const std::string& message) {
  testing::internal::CaptureStderr();
  set_up_logging(options);
  spdlog::warn(message);
  spdlog::default_logger()->flush();
  return testing::internal::GetCapturedStderr();
}

TEST(LoggingTest, text_lines_carry_utc_time_level_and_message) {
  EXPECT_THAT(logged({}, "redis is down"),
              MatchesRegex("[0-9-]+T[0-9:]+\\.[0-9]+Z warning redis is down\n"));
}

TEST(LoggingTest, json_lines_are_json_whatever_the_message) {
  const std::string message = "a \"quoted\"\nline \\ with \x01 control";
  const auto line = logged({.format = LogFormat::kJson}, message);
  const auto parsed = nlohmann::json::parse(line);
  EXPECT_EQ(parsed.at("level"), "warning");
  EXPECT_EQ(parsed.at("message"), message);
  EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1);
}

TEST(LoggingTest, a_message_cannot_forge_a_second_text_line) {
  EXPECT_THAT(logged({}, "one\ntwo"), HasSubstr("one\\ntwo\n"));
}

TEST(LoggingTest, what_is_below_the_level_is_not_written) {
  EXPECT_EQ(logged({.level = "error"}, "only a warning"), "");
  EXPECT_EQ(logged({.level = "off"}, "only a warning"), "");
}

TEST(LoggingTest, every_level_of_the_documentation_is_one) {
  for (const auto* level : {"trace", "debug", "info", "warning", "error", "critical", "off"}) {
    EXPECT_TRUE(LogOptions{.level = level}.validate().ok()) << level;
  }
  for (const auto* level : {"", "Info", "none", "info "}) {
    EXPECT_FALSE(LogOptions{.level = level}.validate().ok()) << level;
  }
}

TEST(LoggingTest, the_last_set_up_counts) {
  EXPECT_EQ(logged({.level = "off"}, "nobody hears it"), "");
  EXPECT_THAT(logged({.level = "trace", .format = LogFormat::kJson}, "heard"),
              HasSubstr("\"message\":\"heard\""));
}

TEST(AppendJsonEscapedTest, leaves_text_alone_and_appends_to_what_is_there) {
  std::string out = "before ";
  append_json_escaped(out, "plain \xc3\xbc text / ok");
  EXPECT_EQ(out, "before plain \xc3\xbc text / ok");
}

TEST(AppendJsonEscapedTest, every_control_character_is_escaped_and_comes_back) {
  std::string all;
  for (int c = 0; c <= 0x7f; ++c) all += static_cast<char>(c);
  std::string out;
  append_json_escaped(out, all);
  for (const char c : out) EXPECT_GE(static_cast<unsigned char>(c), 0x20U);
  EXPECT_EQ(nlohmann::json::parse('"' + out + '"'), all);
}

TEST(LoggingTest, an_unknown_level_is_refused_by_name) {
  EXPECT_TRUE(LogOptions{.level = "warning"}.validate().ok());
  EXPECT_TRUE(LogOptions{.level = "off"}.validate().ok());
  const auto status = LogOptions{.level = "loud"}.validate();
  ASSERT_FALSE(status.ok());
  EXPECT_THAT(status.error().message, HasSubstr("'loud'"));
}

}  // namespace
}  // namespace llm_edge_cache::observability
