#include "replay/replay_report.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace llm_edge_cache::app {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

ReplayStats some_stats() {
  ReplayStats stats;
  stats.add_answer(LookupOutcome::kMiss, 900);
  stats.add_answer(LookupOutcome::kL1Hit, 50);
  stats.add_answer(LookupOutcome::kL1Hit, 70);
  stats.add_error("status_500");
  stats.add_tokens_saved(123);
  return stats;
}

TEST(ReplayReportTest, json_has_what_scripts_read) {
  const auto report = nlohmann::json::parse(replay_json(some_stats(), 2'000));
  EXPECT_EQ(report["requests"], 4);
  EXPECT_EQ(report["errors"], 1);
  EXPECT_EQ(report["errors_by_kind"], nlohmann::json({{"status_500", 1}}));
  EXPECT_EQ(report["mismatches"], 0);
  EXPECT_EQ(report["hit_ratio"], 0.5);
  EXPECT_EQ(report["hits_by_tier"], nlohmann::json({{"l1", 2}, {"l2", 0}, {"l3", 0}}));
  EXPECT_EQ(report["latency_us"]["l1_hit"]["p50"], 50);
  EXPECT_EQ(report["latency_us"]["l1_hit"]["p99"], 70);
  EXPECT_EQ(report["latency_us"]["miss"]["count"], 1);
  EXPECT_EQ(report["tokens_saved"], 123);
  EXPECT_EQ(report["requests_per_second"], 2.0);
}

TEST(ReplayReportTest, json_of_nothing_is_zeros) {
  const auto report = nlohmann::json::parse(replay_json(ReplayStats(), 0));
  EXPECT_EQ(report["requests"], 0);
  EXPECT_EQ(report["hit_ratio"], 0.0);
  EXPECT_EQ(report["latency_us"], nlohmann::json::object());
}

TEST(ReplayReportTest, the_table_names_hits_errors_and_outcomes) {
  const auto table = replay_table(some_stats(), 2'000);
  EXPECT_THAT(table, HasSubstr("50.00 %"));
  EXPECT_THAT(table, HasSubstr("status_500"));
  EXPECT_THAT(table, HasSubstr("l1_hit"));
  EXPECT_THAT(table, Not(HasSubstr("mismatches")));
}

TEST(ReplayReportTest, the_table_shows_mismatches_where_there_are_some) {
  auto stats = some_stats();
  stats.add_mismatch();
  EXPECT_THAT(replay_table(stats, 1), HasSubstr("mismatches"));
}

}  // namespace
}  // namespace llm_edge_cache::app
