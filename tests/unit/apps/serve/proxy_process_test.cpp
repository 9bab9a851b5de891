#include "serve/proxy_process.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <nlohmann/json.hpp>

#include "http_fetch.hpp"
#include "mock_provider/mock_provider.hpp"
#include "replay/replay_run.hpp"

namespace llm_edge_cache::app {
namespace {

using ::testing::HasSubstr;

class ProxyProcessTest : public ::testing::Test {
 protected:
  ProxyProcessTest() {
    config_.listen = config_.admin_listen = "127.0.0.1:0";
    config_.upstream = "http://127.0.0.1:" + std::to_string(provider_.port());
    config_.threads = 1;
  }

  static MockProviderOptions mock_options() {
    MockProviderOptions options;
    options.listen = "127.0.0.1:0";
    return options;
  }
  static FetchedAnswer admin_get(const ProxyProcess& process, const std::string& path) {
    auto answer = fetch("http://127.0.0.1:" + std::to_string(process.admin_port()), path);
    return answer ? *answer : FetchedAnswer{.status = 0, .body = answer.error().message};
  }
  // Asks each prompt once, in order.
  static ReplayResult ask(const ProxyProcess& process, const std::vector<std::uint32_t>& order) {
    ReplayOptions options;
    options.target = "http://127.0.0.1:" + std::to_string(process.port());
    options.concurrency = 1;
    options.verify = true;
    return replay({.distinct = {"a", "b"}, .order = order}, options, nullptr);
  }

  http::IoThreads threads_{{.threads = 1}};
  MockProvider provider_{threads_, mock_options()};
  ServeConfig config_;
};

TEST_F(ProxyProcessTest, answers_and_counts) {
  ProxyProcess process(config_, "a secret of tests");
  const auto result = ask(process, {0, 1, 0, 0});
  EXPECT_EQ(result.stats.errors(), 0U);
  EXPECT_EQ(result.stats.hits(), 2U);
  EXPECT_EQ(result.stats.mismatches(), 0U);
  EXPECT_GT(result.stats.tokens_saved(), 0U);
  const auto metrics = admin_get(process, "/metrics");
  EXPECT_EQ(metrics.status, 200);
  EXPECT_THAT(metrics.body, HasSubstr("llm_edge_requests_total 4\n"));
  EXPECT_THAT(metrics.body, HasSubstr("llm_edge_cache_hits_total{tier=\"l1\"} 2\n"));
  EXPECT_EQ(nlohmann::json::parse(admin_get(process, "/stats").body)["hit_ratio"], 0.5);
}

TEST_F(ProxyProcessTest, health_and_readiness_are_told_apart) {
  ProxyProcess process(config_, "a secret of tests");
  EXPECT_EQ(admin_get(process, "/healthz").status, 200);
  const auto ready = admin_get(process, "/readyz");
  EXPECT_EQ(ready.status, 200);
  EXPECT_EQ(nlohmann::json::parse(ready.body)["tiers"],
            nlohmann::json({{"l1", "ok"}, {"l2", "none"}}));
  std::promise<void> drained;
  process.drain([&] { drained.set_value(); });
  drained.get_future().wait();
  EXPECT_EQ(admin_get(process, "/healthz").status, 200);
  EXPECT_EQ(admin_get(process, "/readyz").status, 503);
}

TEST_F(ProxyProcessTest, the_admin_listener_has_nothing_else) {
  ProxyProcess process(config_, "a secret of tests");
  EXPECT_EQ(admin_get(process, "/v1/chat/completions").status, 404);
}

TEST_F(ProxyProcessTest, an_address_in_use_is_named) {
  const ProxyProcess first(config_, "a secret of tests");
  config_.admin_listen = "127.0.0.1:" + std::to_string(first.port());
  try {
    const ProxyProcess second(config_, "a secret of tests");
    FAIL() << "two processes on one address";
  } catch (const std::runtime_error& error) {
    EXPECT_THAT(error.what(), HasSubstr("--admin-listen: cannot listen on"));
  }
}

}  // namespace
}  // namespace llm_edge_cache::app
