// What each family says; names and types are cache_report_test.cpp's.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "observability/cache_report.hpp"

namespace llm_edge_cache::observability {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

template <class Label>
constexpr std::size_t index_of(Label label) {
  return static_cast<std::size_t>(label);
}

proxy::TenantReport tenant_report(std::string name) {
  proxy::TenantReport tenant;
  tenant.name = std::move(name);
  tenant.requests[index_of(LookupOutcome::kL1Hit)] = 5;
  tenant.requests[index_of(LookupOutcome::kCoalesced)] = 2;
  tenant.requests[index_of(LookupOutcome::kStale)] = 1;
  tenant.requests[index_of(LookupOutcome::kMiss)] = 4;
  tenant.requests[index_of(LookupOutcome::kBypass)] = 3;
  tenant.refused[index_of(proxy::TenantRefusal::kRate)] = 6;
  tenant.refused[index_of(proxy::TenantRefusal::kConcurrency)] = 7;
  tenant.concurrent = 8;
  return tenant;
}

TEST(MetricsOfTenantsTest, requests_are_all_that_were_let_in_and_hits_those_without_a_call) {
  CacheReport report;
  report.tenants = {tenant_report("team-a")};
  EXPECT_THAT(metrics_text(report),
              AllOf(HasSubstr("llm_edge_tenant_requests_total{tenant=\"team-a\"} 15\n"),
                    HasSubstr("llm_edge_tenant_hits_total{tenant=\"team-a\"} 8\n")));
}

TEST(MetricsOfTenantsTest, refusals_stand_by_their_limit) {
  CacheReport report;
  report.tenants = {tenant_report("a"), tenant_report("b")};
  report.proxy.unknown_keys = 9;
  const auto text = metrics_text(report);
  for (const std::string name : {"a", "b"}) {
    const auto label = "{tenant=\"" + name + "\"";
    EXPECT_THAT(
        text,
        AllOf(HasSubstr("llm_edge_tenant_refused_total" + label + ",reason=\"rate\"} 6\n"),
              HasSubstr("llm_edge_tenant_refused_total" + label + ",reason=\"concurrency\"} 7\n"),
              HasSubstr("llm_edge_tenant_concurrent_requests" + label + "} 8\n")));
  }
  EXPECT_THAT(text, HasSubstr("llm_edge_unknown_keys_total 9\n"));
}

TEST(MetricsOfTenantsTest, without_tenants_there_is_no_sample_and_the_family_is_there) {
  EXPECT_THAT(metrics_text({}), AllOf(HasSubstr("# TYPE llm_edge_tenant_requests_total counter\n"),
                                      Not(HasSubstr("llm_edge_tenant_requests_total{"))));
}

TEST(MetricsOfCredentialsTest, tell_how_many_are_known_and_what_was_refused) {
  CacheReport report;
  report.credentials.known = 12;
  report.credentials.shared = 3;
  report.credentials.refused[index_of(proxy::TenantRefusal::kRate)] = 4;
  EXPECT_THAT(metrics_text(report),
              AllOf(HasSubstr("llm_edge_credentials_known 12\n"),
                    HasSubstr("llm_edge_credentials_shared_total 3\n"),
                    HasSubstr("llm_edge_credential_refused_total{reason=\"rate\"} 4\n"),
                    HasSubstr("llm_edge_credential_refused_total{reason=\"concurrency\"} 0\n")));
}

TEST(MetricsOfRequestsTest, every_outcome_and_every_refusal_has_a_line_even_at_zero) {
  const auto text = metrics_text({});
  for (std::size_t i = 0; i < proxy::kOutcomeCount; ++i) {
    const std::string name(to_string(static_cast<LookupOutcome>(i)));
    EXPECT_THAT(text, HasSubstr("llm_edge_cache_outcomes_total{outcome=\"" + name + "\"} 0\n"));
  }
  for (std::size_t i = 0; i < proxy::kStoreRefusalCount; ++i) {
    const std::string name(to_string(static_cast<proxy::StoreRefusal>(i)));
    EXPECT_THAT(text,
                HasSubstr("llm_edge_cache_refused_answers_total{reason=\"" + name + "\"} 0\n"));
  }
  for (std::size_t i = 0; i < proxy::kUpstreamResultCount; ++i) {
    const std::string name(to_string(static_cast<proxy::UpstreamResult>(i)));
    EXPECT_THAT(text, HasSubstr("llm_edge_upstream_requests_total{result=\"" + name + "\"} 0\n"));
  }
}

TEST(MetricsOfRequestsTest, a_model_cannot_forge_a_sample) {
  CacheReport report;
  report.proxy.tokens_saved_by_model["m\"} 1\nforged_total 5"] = 2;
  const auto text = metrics_text(report);
  EXPECT_THAT(text, HasSubstr(R"(tokens_saved_total{model="m\"} 1\nforged_total 5"} 2)"));
  EXPECT_THAT(text, Not(HasSubstr("\nforged_total")));
}

TEST(MetricsOfUpstreamsTest, latencies_are_cumulative_by_member) {
  CacheReport report;
  auto& member = report.upstreams.emplace_back();
  member.group = "chat";
  member.url = "http://a:1";
  member.time_to_first_byte.counts[0] = 2;
  member.time_to_first_byte.counts[2] = 1;
  member.time_to_first_byte.counts.back() = 1;
  member.time_to_first_byte.sum_ms = 7.5;
  const std::string family = "llm_edge_upstream_attempt_first_byte_ms";
  const std::string labels = "{upstream=\"chat\",url=\"http://a:1\"";
  EXPECT_THAT(metrics_text(report),
              AllOf(HasSubstr(family + "_bucket" + labels + ",le=\"1\"} 2\n"),
                    HasSubstr(family + "_bucket" + labels + ",le=\"5\"} 3\n"),
                    HasSubstr(family + "_bucket" + labels + ",le=\"120000\"} 3\n"),
                    HasSubstr(family + "_bucket" + labels + ",le=\"+Inf\"} 4\n"),
                    HasSubstr(family + "_sum" + labels + "} 7.5\n"),
                    HasSubstr(family + "_count" + labels + "} 4\n")));
}

TEST(MetricsOfUpstreamsTest, members_of_one_group_are_told_apart_by_their_url) {
  CacheReport report;
  for (const auto* url : {"http://a:1", "http://b:1"}) {
    auto& member = report.upstreams.emplace_back();
    member.group = "chat";
    member.url = url;
    member.breaker = member.url == "http://a:1" ? BreakerState::kHalfOpen : BreakerState::kClosed;
  }
  const std::string family = "llm_edge_upstream_breaker_state{upstream=\"chat\",url=\"";
  EXPECT_THAT(metrics_text(report), AllOf(HasSubstr(family + "http://a:1\"} 1\n"),
                                          HasSubstr(family + "http://b:1\"} 0\n")));
}

TEST(MetricsOfFleetsTest, tell_what_was_heard_lost_and_waited_for) {
  CacheReport report;
  report.fleet = {.has_channel = true,
                  .is_listening = true,
                  .sent = 1,
                  .received = 2,
                  .unreadable = 3,
                  .overflows = 4,
                  .losses = 5,
                  .l1_drops = 6,
                  .l1_clears = 7,
                  .leases = 8,
                  .waits = 9,
                  .waits_landed = 10,
                  .takeovers = 11,
                  .superseded = 12};
  const auto text = metrics_text(report);
  for (const auto* line :
       {"channel_up 1", "channel_losses_total 5", "messages_total{kind=\"sent\"} 1",
        "messages_total{kind=\"received\"} 2", "messages_total{kind=\"unreadable\"} 3",
        "messages_total{kind=\"overflow\"} 4", "l1_drops_total 6", "l1_clears_total 7",
        "flights_total{result=\"lease\"} 8", "flights_total{result=\"wait\"} 9",
        "flights_total{result=\"landed\"} 10", "flights_total{result=\"takeover\"} 11",
        "flights_total{result=\"superseded\"} 12"}) {
    EXPECT_THAT(text, HasSubstr(std::string("\nllm_edge_fleet_") + line + "\n"));
  }
}

TEST(MetricsOfFleetsTest, a_channel_that_is_not_heard_is_down_whether_or_not_there_is_one) {
  CacheReport report;
  EXPECT_THAT(metrics_text(report), HasSubstr("llm_edge_fleet_channel_up 0\n"));
  report.fleet.has_channel = true;
  EXPECT_THAT(metrics_text(report), HasSubstr("llm_edge_fleet_channel_up 0\n"));
}

TEST(MetricsOfTiersTest, memory_has_no_breaker_and_a_store_no_count_of_entries) {
  CacheReport report;
  report.l1.gauges.memory_bytes = 1'000;
  report.l2.emplace().gauges.entries = 5;
  report.l2->gauges.pending_writes = 2;
  report.l2->gauges.pending_bytes = 300;
  const auto text = metrics_text(report);
  EXPECT_THAT(text, AllOf(HasSubstr("llm_edge_cache_memory_bytes{tier=\"l1\"} 1000\n"),
                          HasSubstr("llm_edge_cache_write_queue_entries{tier=\"l2\"} 2\n"),
                          HasSubstr("llm_edge_cache_write_queue_bytes{tier=\"l2\"} 300\n"),
                          HasSubstr("llm_edge_cache_breaker_state{tier=\"l2\"} 0\n")));
  EXPECT_THAT(text, Not(HasSubstr("llm_edge_cache_breaker_state{tier=\"l1\"}")));
  EXPECT_THAT(text, Not(HasSubstr("llm_edge_cache_size_entries{tier=\"l2\"}")));
}

TEST(MetricsOfTheProcessTest, reloads_stand_by_their_result) {
  CacheReport report;
  report.reloads = 3;
  report.failed_reloads = 1;
  report.access_log_dropped = 4;
  report.proxy.flights_active = 5;
  report.proxy.followers_cut = 6;
  EXPECT_THAT(metrics_text(report),
              AllOf(HasSubstr("llm_edge_config_reloads_total{result=\"ok\"} 3\n"),
                    HasSubstr("llm_edge_config_reloads_total{result=\"error\"} 1\n"),
                    HasSubstr("llm_edge_access_log_dropped_total 4\n"),
                    HasSubstr("llm_edge_flights_active 5\n"),
                    HasSubstr("llm_edge_followers_cut_total 6\n")));
}

}  // namespace
}  // namespace llm_edge_cache::observability
