#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "observability/cache_report.hpp"

namespace llm_edge_cache::observability {
namespace {

using nlohmann::json;

json stats_of(const CacheReport& report) {
  return json::parse(stats_json(report));
}

TEST(StatsJsonTest, before_the_first_request_every_ratio_and_mean_is_zero) {
  const auto stats = stats_of({});
  EXPECT_EQ(stats["hit_ratio"], 0.0);
  EXPECT_EQ(stats["tiers"]["l1"]["hit_ratio"], 0.0);
  EXPECT_EQ(stats["upstream"]["mean_latency_ms"], 0.0);
  EXPECT_EQ(stats["upstream"]["mean_first_byte_ms"], 0.0);
  EXPECT_EQ(stats["tokens_saved"], json::object());
}

TEST(StatsJsonTest, there_is_no_second_tier_where_none_is_configured) {
  EXPECT_FALSE(stats_of({})["tiers"].contains("l2"));
}

TEST(StatsJsonTest, an_answer_from_somebody_elses_call_is_no_hit_and_a_stale_one_is) {
  CacheReport report;
  report.proxy.requests_total = 10;
  report.proxy.requests[static_cast<std::size_t>(LookupOutcome::kCoalesced)] = 4;
  report.proxy.requests[static_cast<std::size_t>(LookupOutcome::kStale)] = 1;
  report.proxy.requests[static_cast<std::size_t>(LookupOutcome::kL3Hit)] = 1;
  EXPECT_EQ(stats_of(report)["hit_ratio"], 0.2);
}

TEST(StatsJsonTest, means_are_over_what_was_observed) {
  CacheReport report;
  report.proxy.upstream_latency.sum_ms = 300;
  report.proxy.upstream_latency.count = 4;
  report.proxy.upstream_time_to_first_byte.sum_ms = 50;
  report.proxy.upstream_time_to_first_byte.count = 5;
  report.proxy.upstream_calls[static_cast<std::size_t>(proxy::UpstreamResult::kBroken)] = 2;
  const auto upstream = stats_of(report)["upstream"];
  EXPECT_EQ(upstream["mean_latency_ms"], 75.0);
  EXPECT_EQ(upstream["mean_first_byte_ms"], 10.0);
  const std::string broken(to_string(proxy::UpstreamResult::kBroken));
  EXPECT_EQ(upstream["requests"][broken], 2);
  EXPECT_EQ(upstream["requests"].size(), proxy::kUpstreamResultCount);
}

TEST(StatsJsonTest, faults_of_a_tier_stand_by_their_kind) {
  CacheReport report;
  auto& l2 = report.l2.emplace();
  l2.counters.errors_unavailable = 1;
  l2.counters.errors_timeout = 2;
  l2.counters.errors_protocol = 3;
  l2.counters.errors_corrupt = 4;
  l2.counters.evicted_for_size = 5;
  l2.counters.evicted_expired = 6;
  l2.gauges.breaker = BreakerState::kHalfOpen;
  const auto tier = stats_of(report)["tiers"]["l2"];
  EXPECT_EQ(tier["errors"],
            (json{{"unavailable", 1}, {"timeout", 2}, {"protocol", 3}, {"corrupt", 4}}));
  EXPECT_EQ(tier["evictions"], (json{{"size", 5}, {"expired", 6}}));
  EXPECT_EQ(tier["breaker"], "half_open");
}

TEST(StatsJsonTest, a_fleet_is_told_as_its_metrics_are) {
  CacheReport report;
  report.fleet.is_listening = true;
  report.fleet.sent = 1;
  report.fleet.overflows = 2;
  report.fleet.leases = 3;
  report.fleet.waits_landed = 4;
  const auto fleet = stats_of(report)["fleet"];
  EXPECT_EQ(fleet["channel_up"], true);
  EXPECT_EQ(fleet["messages"]["sent"], 1);
  EXPECT_EQ(fleet["messages"]["overflow"], 2);
  EXPECT_EQ(fleet["flights"]["lease"], 3);
  EXPECT_EQ(fleet["flights"]["landed"], 4);
}

TEST(StatsJsonTest, large_counts_keep_every_digit) {
  CacheReport report;
  report.proxy.stores = 18'446'744'073'709'551'615U;
  EXPECT_NE(stats_json(report).find("18446744073709551615"), std::string::npos);
}

TEST(BreakerStateTest, each_has_a_name_of_its_own) {
  EXPECT_EQ(to_string(BreakerState::kClosed), "closed");
  EXPECT_EQ(to_string(BreakerState::kHalfOpen), "half_open");
  EXPECT_EQ(to_string(BreakerState::kOpen), "open");
}

}  // namespace
}  // namespace llm_edge_cache::observability
