// Redis accepts, and answers nothing: no request pays for that more than once.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/scenario/program.hpp"
#include "tests/scenario/raw_client.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/redis_server.hpp"
#include "tests/support/temp_dir.hpp"

namespace llm_edge_cache::test {
namespace {

using ::testing::HasSubstr;

double metric(const Program& proxy, const std::string& sample) {
  const auto body = get(proxy.address("admin"), "/metrics").body;
  const auto at = body.find("\n" + sample + " ");
  if (at == std::string::npos) throw std::runtime_error("no metric " + sample);
  return std::stod(body.substr(at + sample.size() + 2));
}

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
  const auto asked = metric(proxy, R"(llm_edge_cache_misses_total{tier="l2"})");
  for (int i = 0; i < 50; ++i) {
    EXPECT_THAT(ask_chat(proxy.address("listen"), "warm").field("cache-status"),
                HasSubstr("detail=l1"));
  }
  EXPECT_EQ(metric(proxy, R"(llm_edge_cache_misses_total{tier="l2"})"), asked);
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
  // What waited is bounded by what timed out; the others were refused inside the call.
  EXPECT_LE(metric(proxy, R"(llm_edge_cache_errors_total{tier="l2",kind="timeout"})"), 10);
  EXPECT_GE(metric(proxy, R"(llm_edge_cache_errors_total{tier="l2",kind="unavailable"})"), 20);
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
