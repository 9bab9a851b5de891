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

TEST(LoggingTest, an_unknown_level_is_refused_by_name) {
  EXPECT_TRUE(LogOptions{.level = "warning"}.validate().ok());
  EXPECT_TRUE(LogOptions{.level = "off"}.validate().ok());
  const auto status = LogOptions{.level = "loud"}.validate();
  ASSERT_FALSE(status.ok());
  EXPECT_THAT(status.error().message, HasSubstr("'loud'"));
}

}  // namespace
}  // namespace llm_edge_cache::observability
