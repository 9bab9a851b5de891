#include "proxy/proxy_metrics.hpp"

#include <gtest/gtest.h>

#include <set>
#include <thread>
#include <vector>

namespace llm_edge_cache::proxy {
namespace {

TEST(ProxyMetricsTest, counts_requests_by_outcome_and_in_total) {
  ProxyMetrics metrics;
  metrics.count_request(LookupOutcome::kL1Hit);
  metrics.count_request(LookupOutcome::kL1Hit);
  metrics.count_request(LookupOutcome::kBypass);
  const auto snapshot = metrics.snapshot();
  EXPECT_EQ(snapshot.requests[static_cast<std::size_t>(LookupOutcome::kL1Hit)], 2U);
  EXPECT_EQ(snapshot.requests[static_cast<std::size_t>(LookupOutcome::kBypass)], 1U);
  EXPECT_EQ(snapshot.requests_total, 3U);
}

TEST(ProxyMetricsTest, counts_everything_else_where_it_belongs) {
  ProxyMetrics metrics;
  metrics.count_own_error();
  metrics.count_store();
  metrics.count_refusal(StoreRefusal::kTooLarge);
  metrics.count_upstream(UpstreamResult::kTimeout);
  metrics.count_cut_follower();
  metrics.flight_started();
  metrics.flight_started();
  metrics.flight_ended();
  const auto snapshot = metrics.snapshot();
  EXPECT_EQ(snapshot.own_errors, 1U);
  EXPECT_EQ(snapshot.stores, 1U);
  EXPECT_EQ(snapshot.store_refusals[static_cast<std::size_t>(StoreRefusal::kTooLarge)], 1U);
  EXPECT_EQ(snapshot.upstream_calls[static_cast<std::size_t>(UpstreamResult::kTimeout)], 1U);
  EXPECT_EQ(snapshot.followers_cut, 1U);
  EXPECT_EQ(snapshot.flights_active, 1U);
}

TEST(ProxyMetricsTest, sums_what_threads_count_even_after_they_have_ended) {
  ProxyMetrics metrics;
  constexpr int kThreads = 4;
  constexpr int kEach = 1'000;
  std::vector<std::thread> threads;
  threads.reserve(kThreads);
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < kEach; ++i) {
        metrics.count_request(LookupOutcome::kL1Hit);
        metrics.count_tokens_saved("a", 2);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  const auto snapshot = metrics.snapshot();
  EXPECT_EQ(snapshot.requests_total, kThreads * kEach);
  EXPECT_EQ(snapshot.tokens_saved_by_model.at("a"), 2U * kThreads * kEach);
}

TEST(ProxyMetricsTest, a_flight_may_end_on_another_thread_than_it_began_on) {
  ProxyMetrics metrics;
  metrics.flight_started();
  std::thread([&] { metrics.flight_ended(); }).join();
  EXPECT_EQ(metrics.snapshot().flights_active, 0U);
}

TEST(ProxyMetricsTest, sums_saved_tokens_by_model) {
  ProxyMetrics metrics;
  metrics.count_tokens_saved("a", 3);
  metrics.count_tokens_saved("a", 4);
  metrics.count_tokens_saved("b", 0);
  EXPECT_EQ(metrics.snapshot().tokens_saved_by_model,
            (std::map<std::string, std::uint64_t>{{"a", 7}}));
}

TEST(ProxyMetricsTest, an_upstream_cannot_grow_the_export_by_inventing_models) {
  ProxyMetrics metrics;
  metrics.count_tokens_saved(std::string(ProxyMetrics::kMaxModelNameBytes + 1, 'x'), 1);
  metrics.count_tokens_saved("", 1);
  for (std::size_t i = 0; i < 10 * ProxyMetrics::kMaxModels; ++i) {
    metrics.count_tokens_saved("model-" + std::to_string(i), 1);
  }
  const auto saved = metrics.snapshot().tokens_saved_by_model;
  EXPECT_LE(saved.size(), ProxyMetrics::kMaxModels + 1);
  std::uint64_t sum = 0;
  for (const auto& [model, tokens] : saved) sum += tokens;
  EXPECT_EQ(sum, 10 * ProxyMetrics::kMaxModels + 2);
}

TEST(ProxyMetricsTest, every_label_has_a_name_of_its_own) {
  std::set<std::string_view> refusals;
  for (std::size_t i = 0; i < kStoreRefusalCount; ++i) {
    refusals.insert(to_string(static_cast<StoreRefusal>(i)));
  }
  EXPECT_EQ(refusals.size(), kStoreRefusalCount);
  std::set<std::string_view> results;
  for (std::size_t i = 0; i < kUpstreamResultCount; ++i) {
    results.insert(to_string(static_cast<UpstreamResult>(i)));
  }
  EXPECT_EQ(results.size(), kUpstreamResultCount);
}

}  // namespace
}  // namespace llm_edge_cache::proxy
