#include "mock_provider/mock_provider.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "http_fetch.hpp"
#include "replay/replay_run.hpp"

namespace llm_edge_cache::app {
namespace {

MockProviderOptions on_free_port() {
  MockProviderOptions options;
  options.listen = "127.0.0.1:0";
  return options;
}

class MockProviderTest : public ::testing::Test {
 protected:
  static std::string url(const MockProvider& provider) {
    return "http://127.0.0.1:" + std::to_string(provider.port());
  }
  static ReplayResult ask(const MockProvider& provider, std::size_t times, bool stream = false) {
    ReplayOptions options;
    options.target = url(provider);
    options.concurrency = 4;
    options.repeat = times;
    options.stream = stream;
    options.verify = true;
    return replay({.distinct = {"a"}, .order = {0}}, options, nullptr);
  }

  http::IoThreads threads_{{.threads = 1}};
};

TEST_F(MockProviderTest, says_the_same_to_the_same) {
  const MockProvider provider(threads_, on_free_port());
  for (const bool stream : {false, true}) {
    const auto result = ask(provider, 20, stream);
    EXPECT_EQ(result.stats.errors(), 0U);
    EXPECT_EQ(result.stats.mismatches(), 0U);
  }
}

TEST_F(MockProviderTest, two_processes_say_the_same) {
  const MockProvider one(threads_, on_free_port());
  const MockProvider other(threads_, on_free_port());
  EXPECT_EQ(ask(one, 1).answers, ask(other, 1).answers);
}

TEST_F(MockProviderTest, counts_what_came) {
  const MockProvider provider(threads_, on_free_port());
  (void)ask(provider, 3);
  const auto counts = nlohmann::json::parse(fetch(url(provider), "/mock/requests")->body);
  EXPECT_EQ(counts, nlohmann::json({{"requests", 3}, {"errors", 0}, {"abandoned", 0}}));
}

TEST_F(MockProviderTest, a_pace_delays_and_loses_nothing) {
  auto options = on_free_port();
  options.ttft_ms = 20;
  options.tokens_per_second = 5'000;
  const MockProvider paced(threads_, options);
  const MockProvider quick(threads_, on_free_port());
  const auto result = ask(paced, 1, true);
  EXPECT_EQ(result.answers, ask(quick, 1, true).answers);
  EXPECT_GE(result.stats.latency_us().at("no_cache_status").p50, 20'000U);
}

TEST_F(MockProviderTest, fails_at_its_rate_by_429_and_500) {
  auto options = on_free_port();
  options.error_rate = 0.5;
  const MockProvider provider(threads_, options);
  const auto result = ask(provider, 200);
  EXPECT_NEAR(static_cast<double>(result.stats.errors()), 100, 40);
  EXPECT_GT(result.stats.errors_by_kind().at("status_429"), 0U);
  EXPECT_GT(result.stats.errors_by_kind().at("status_500"), 0U);
}

TEST_F(MockProviderTest, asks_for_a_token_where_it_is_told_to) {
  auto options = on_free_port();
  options.require_auth = true;
  const MockProvider provider(threads_, options);
  EXPECT_EQ(ask(provider, 1).stats.errors(), 0U);
  EXPECT_EQ(fetch(url(provider), "/v1/models")->status, 401);
}

TEST_F(MockProviderTest, has_models_and_nothing_else) {
  const MockProvider provider(threads_, on_free_port());
  EXPECT_EQ(fetch(url(provider), "/v1/models")->status, 200);
  EXPECT_EQ(fetch(url(provider), "/v2/models")->status, 404);
}

TEST(MockProviderOptionsTest, rates_out_of_range_are_refused) {
  for (const double rate : {-0.1, 1.1, std::numeric_limits<double>::quiet_NaN()}) {
    MockProviderOptions options;
    options.error_rate = rate;
    EXPECT_FALSE(options.validate().ok()) << rate;
  }
  MockProviderOptions options;
  options.tokens_per_second = -1;
  EXPECT_FALSE(options.validate().ok());
  EXPECT_TRUE(MockProviderOptions().validate().ok());
}

}  // namespace
}  // namespace llm_edge_cache::app
