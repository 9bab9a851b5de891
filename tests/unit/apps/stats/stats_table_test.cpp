#include "stats/stats_table.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "observability/cache_report.hpp"

namespace llm_edge_cache::app {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(StatsTableTest, shows_what_the_admin_listener_says) {
  observability::CacheReport report;
  report.version = "1.2.3";
  report.l1.lookups.hits = 3;
  report.l1.lookups.misses = 1;
  report.l2.emplace();
  report.l2->gauges.breaker = BreakerState::kOpen;
  report.proxy.requests_total = 4;
  report.proxy.requests[static_cast<std::size_t>(LookupOutcome::kL1Hit)] = 3;
  report.proxy.tokens_saved_by_model["gpt-4o"] = 77;
  const auto table = stats_table(observability::stats_json(report));
  ASSERT_TRUE(table.ok()) << table.error().message;
  EXPECT_THAT(*table, HasSubstr("llm-edge-cache 1.2.3"));
  EXPECT_THAT(*table, HasSubstr("requests 4, hits 75.00 %"));
  EXPECT_THAT(*table, HasSubstr("open"));
  EXPECT_THAT(*table, HasSubstr("l1_hit"));
  EXPECT_THAT(*table, HasSubstr("gpt-4o"));
  EXPECT_THAT(*table, Not(HasSubstr("coalesced")));  // none came
}

TEST(StatsTableTest, what_is_no_such_answer_is_an_error) {
  for (const auto* text : {"", "[]", "{}", "{\"version\":1}"}) {
    const auto table = stats_table(text);
    ASSERT_FALSE(table.ok()) << text;
    EXPECT_EQ(table.error().code, ErrorCode::kProtocol);
  }
}

}  // namespace
}  // namespace llm_edge_cache::app
