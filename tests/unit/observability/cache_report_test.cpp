#include "observability/cache_report.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

namespace llm_edge_cache::observability {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

CacheReport some_report() {
  CacheReport report{
      .version = "1.2.3", .uptime_ms = 1'500, .client_connections = 4, .io_sleeps = 8};
  report.l1.lookups.hits = 7;
  report.l1.lookups.misses = 3;
  report.l1.lookups.latency.buckets[0] = 9;
  report.l1.lookups.latency.buckets.back() = 1;
  report.l1.lookups.latency.sum_ns = 2'500'000;
  report.l1.counters.writes = 5;
  report.l1.counters.evicted_for_size = 2;
  report.l1.gauges.entries = 11;
  report.l2.emplace();
  report.l2->lookups.misses = 3;
  report.l2->counters.errors_timeout = 6;
  report.l2->counters.dropped_writes = 1;
  report.l2->gauges.breaker = BreakerState::kOpen;
  report.proxy.requests_total = 10;
  report.proxy.requests[static_cast<std::size_t>(LookupOutcome::kL1Hit)] = 7;
  report.proxy.requests[static_cast<std::size_t>(LookupOutcome::kCoalesced)] = 1;
  report.proxy.tokens_saved_by_model["gpt-4o"] = 900;
  report.tenants.emplace_back().name = "team-a";
  auto& member = report.upstreams.emplace_back();
  member.group = "chat";
  member.url = "http://a:1";
  member.attempts[static_cast<std::size_t>(proxy::AttemptResult::kTimeout)] = 2;
  member.breaker = BreakerState::kOpen;
  return report;
}

// "name type label,label", without le.
std::set<std::string> families_of(const std::string& text) {
  std::set<std::string> families;
  std::istringstream lines(text);
  std::string line;
  std::string family;
  while (std::getline(lines, line)) {
    if (line.starts_with("# TYPE ")) {
      family = line.substr(7);
      continue;
    }
    if (line.starts_with('#')) continue;
    std::string labels;
    for (auto at = line.find('"'); at != std::string::npos;) {
      const auto name = line.find_last_of("{,", at);
      const auto label = line.substr(name + 1, at - name - 2);
      if (label != "le") labels += (labels.empty() ? " " : ",") + label;
      at = line.find('"', line.find('"', at + 1) + 1);
    }
    families.insert(family + labels);
  }
  return families;
}

TEST(MetricsTextTest, names_types_and_labels_are_those_of_the_contract) {
  std::ifstream file(LEC_SOURCE_DIR "/tests/golden/metrics.txt");
  std::set<std::string> pinned;
  for (std::string line; std::getline(file, line);) pinned.insert(line);
  EXPECT_EQ(families_of(metrics_text(some_report())), pinned);
}

TEST(MetricsTextTest, every_family_starts_once_and_has_help) {
  const auto text = metrics_text(some_report());
  std::multiset<std::string> names;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("# HELP ")) names.insert(line.substr(7, line.find(' ', 7) - 7));
  }
  for (const auto& name : names) EXPECT_EQ(names.count(name), 1U) << name;
  EXPECT_EQ(names.size(), static_cast<std::size_t>(std::count(text.begin(), text.end(), '#')) / 2);
}

TEST(MetricsTextTest, tells_the_tiers_apart) {
  const auto text = metrics_text(some_report());
  EXPECT_THAT(text, HasSubstr("llm_edge_cache_hits_total{tier=\"l1\"} 7\n"));
  EXPECT_THAT(text, HasSubstr("llm_edge_cache_hits_total{tier=\"l2\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("llm_edge_cache_evictions_total{tier=\"l1\",cause=\"size\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("llm_edge_cache_errors_total{tier=\"l2\",kind=\"timeout\"} 6\n"));
  EXPECT_THAT(text, HasSubstr("llm_edge_cache_breaker_state{tier=\"l2\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("llm_edge_cache_size_entries{tier=\"l1\"} 11\n"));
}

TEST(MetricsTextTest, tells_of_the_process) {
  const auto text = metrics_text(some_report());
  EXPECT_THAT(text, HasSubstr("llm_edge_client_connections 4\n"));
  EXPECT_THAT(text, HasSubstr("llm_edge_io_sleeps_total 8\n"));
  EXPECT_THAT(text, HasSubstr("llm_edge_uptime_seconds 1.5\n"));
}

TEST(MetricsTextTest, latency_is_in_milliseconds_from_a_microsecond) {
  const auto text = metrics_text(some_report());
  EXPECT_THAT(text, HasSubstr("llm_edge_cache_latency_ms_bucket{tier=\"l1\",le=\"0.001\"} 9\n"));
  EXPECT_THAT(text, HasSubstr("llm_edge_cache_latency_ms_sum{tier=\"l1\"} 2.5\n"));
  EXPECT_THAT(text, HasSubstr("llm_edge_cache_latency_ms_count{tier=\"l1\"} 10\n"));
}

TEST(MetricsTextTest, tells_requests_and_what_they_saved) {
  const auto text = metrics_text(some_report());
  EXPECT_THAT(text, HasSubstr("llm_edge_requests_total 10\n"));
  EXPECT_THAT(text, HasSubstr("llm_edge_cache_outcomes_total{outcome=\"l1_hit\"} 7\n"));
  EXPECT_THAT(text, HasSubstr("llm_edge_cache_coalesced_total 1\n"));
  EXPECT_THAT(text, HasSubstr("llm_edge_cache_tokens_saved_total{model=\"gpt-4o\"} 900\n"));
  EXPECT_THAT(text, HasSubstr("llm_edge_uptime_seconds 1.5\n"));
  EXPECT_THAT(text, HasSubstr("llm_edge_build_info{version=\"1.2.3\"} 1\n"));
}

TEST(MetricsTextTest, tells_the_members_of_an_upstream_apart) {
  const auto text = metrics_text(some_report());
  EXPECT_THAT(text, HasSubstr("llm_edge_upstream_attempts_total{upstream=\"chat\","
                              "url=\"http://a:1\",result=\"timeout\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("llm_edge_upstream_breaker_state{upstream=\"chat\","
                              "url=\"http://a:1\"} 2\n"));
}

TEST(MetricsTextTest, a_tier_that_is_not_configured_is_not_there) {
  auto report = some_report();
  report.l2.reset();
  EXPECT_THAT(metrics_text(report), Not(HasSubstr("tier=\"l2\"")));
}

TEST(StatsJsonTest, tells_requests_tiers_and_savings) {
  const auto json = nlohmann::json::parse(stats_json(some_report()));
  EXPECT_EQ(json["version"], "1.2.3");
  EXPECT_EQ(json["requests"], 10);
  EXPECT_EQ(json["hit_ratio"], 0.7);
  EXPECT_EQ(json["outcomes"]["coalesced"], 1);
  EXPECT_EQ(json["tiers"]["l1"]["entries"], 11);
  EXPECT_EQ(json["tiers"]["l1"]["hit_ratio"], 0.7);
  EXPECT_EQ(json["tiers"]["l2"]["breaker"], "open");
  EXPECT_FALSE(json["tiers"]["l2"].contains("entries"));
  EXPECT_EQ(json["tokens_saved"]["gpt-4o"], 900);
}

TEST(StatsJsonTest, a_name_that_is_not_utf8_does_not_silence_the_rest) {
  auto report = some_report();
  report.proxy.tokens_saved_by_model["\xff\xfe"] = 1;
  EXPECT_EQ(nlohmann::json::parse(stats_json(report))["requests"], 10);
}

}  // namespace
}  // namespace llm_edge_cache::observability
