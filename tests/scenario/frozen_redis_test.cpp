// Redis accepts, and answers nothing: no request pays for that more than once.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "tests/scenario/metrics.hpp"
#include "tests/scenario/program.hpp"
#include "tests/scenario/raw_client.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/redis_server.hpp"
#include "tests/support/temp_dir.hpp"

namespace llm_edge_cache::test {
namespace {

using ::testing::HasSubstr;

class FrozenRedisTest : public ::testing::Test {
 protected:
  std::vector<std::string> arguments(std::vector<std::string> more = {}) {
    more.insert(more.end(), {"--l2", redis_.url(), "--l2-operation-timeout-ms", "100"});
    return serve_arguments(mock_.url(), more);
  }
  std::map<std::string, std::string> environment() {
    return {{"XDG_STATE_HOME", state_.path().string()}};
  }

  TempDir state_;
  RedisServer redis_;
  Program mock_{{"mock-provider", "--listen", "127.0.0.1:0"}};
};

TEST_F(FrozenRedisTest, hits_in_memory_never_ask_it) {
  Program proxy(arguments(), environment());
  ask_chat(proxy.address("listen"), "warm");
  redis_.freeze();
  const auto asked = metric_of(proxy, R"(llm_edge_cache_misses_total{tier="l2"})");
  for (int i = 0; i < 50; ++i) {
    EXPECT_THAT(ask_chat(proxy.address("listen"), "warm").field("cache-status"),
                HasSubstr("detail=l1"));
  }
  EXPECT_EQ(metric_of(proxy, R"(llm_edge_cache_misses_total{tier="l2"})"), asked);
  redis_.thaw();
}

TEST_F(FrozenRedisTest, misses_are_answered_and_few_of_them_wait) {
  Program proxy(arguments(), environment());
  ASSERT_TRUE(eventually([&] {
    return get(proxy.address("admin"), "/readyz").body.find("\"l2\":\"ok\"") != std::string::npos;
  }));
  redis_.freeze();
  for (int i = 0; i < 40; ++i) {
    EXPECT_EQ(ask_chat(proxy.address("listen"), "cold " + std::to_string(i)).status, 200);
  }
  EXPECT_THAT(get(proxy.address("admin"), "/readyz").body, HasSubstr("\"l2\":\"degraded\""));
  // A lookup that waits for its deadline is counted as a timeout, one that is turned away inside
  // the call as unavailable: together they waited for one operation deadline.
  EXPECT_EQ(metric_of(proxy, R"(llm_edge_cache_errors_total{tier="l2",kind="timeout"})"), 1);
  EXPECT_GE(metric_of(proxy, R"(llm_edge_cache_errors_total{tier="l2",kind="unavailable"})"), 39);
  EXPECT_EQ(metric_of(proxy, R"(llm_edge_cache_breaker_state{tier="l2"})"), 2);  // open
  EXPECT_THAT(ask_chat(proxy.address("listen"), "cold 0").field("cache-status"),
              HasSubstr("detail=l1"));
  redis_.thaw();
}

TEST_F(FrozenRedisTest, many_callers_wait_for_one_deadline_each_at_most) {
  Program proxy(arguments(), environment());
  ASSERT_TRUE(eventually([&] {
    return get(proxy.address("admin"), "/readyz").body.find("\"l2\":\"ok\"") != std::string::npos;
  }));
  redis_.freeze();
  constexpr int kCallers = 8;
  constexpr int kEach = 10;
  std::vector<std::thread> callers;
  callers.reserve(kCallers);
  for (int caller = 0; caller < kCallers; ++caller) {
    callers.emplace_back([&, caller] {
      for (int i = 0; i < kEach; ++i) {
        const auto question = std::to_string(caller) + " asks " + std::to_string(i);
        EXPECT_EQ(ask_chat(proxy.address("listen"), question).status, 200);
      }
    });
  }
  for (auto& caller : callers) caller.join();
  // The first deadline shuts the gate for all: only the one lookup that each caller had out by then
  // can have waited.
  const auto waited = metric_of(proxy, R"(llm_edge_cache_errors_total{tier="l2",kind="timeout"})");
  EXPECT_GE(waited, 1);
  EXPECT_LE(waited, kCallers);
  EXPECT_GE(metric_of(proxy, R"(llm_edge_cache_errors_total{tier="l2",kind="unavailable"})"),
            kCallers * kEach - waited);
  redis_.thaw();
}

TEST_F(FrozenRedisTest, comes_back_when_it_thaws) {
  Program proxy(arguments(), environment());
  redis_.freeze();
  for (int i = 0; i < 10; ++i) ask_chat(proxy.address("listen"), "cold " + std::to_string(i));
  redis_.thaw();
  int asked = 0;
  EXPECT_TRUE(eventually([&] {
    ask_chat(proxy.address("listen"), "probe " + std::to_string(asked++));
    return get(proxy.address("admin"), "/readyz").body.find("\"l2\":\"ok\"") != std::string::npos;
  }));
}

}  // namespace
}  // namespace llm_edge_cache::test
