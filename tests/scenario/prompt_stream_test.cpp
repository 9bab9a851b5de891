// A real stream of prompts through the real program: what repeats is a hit, every byte is the
// provider's, and a second instance finds in Redis what the first one stored.
#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "tests/scenario/program.hpp"
#include "tests/support/redis_server.hpp"
#include "tests/support/temp_dir.hpp"

namespace llm_edge_cache::test {
namespace {

std::filesystem::path prompts() {
  const char* folder = std::getenv("LEC_DATA");
  const auto data = folder != nullptr ? std::filesystem::path(folder)
                                      : std::filesystem::path(LEC_SOURCE_DIR) / "../shared/data";
  return data / "prompts/bing-covid-us-2020-01.jsonl.gz";
}

class PromptStreamTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(prompts())) {
      GTEST_SKIP() << "no prompts at " << prompts() << "; name their folder in LEC_DATA";
    }
  }

  [[nodiscard]] Program serve() {
    return Program(
        serve_arguments(mock_.url(), {"--l1-capacity", "10000", "--l1-ttl-seconds", "3600",
                                      "--l1-tti-seconds", "3600", "--l2", redis_.url()}),
        {{"XDG_STATE_HOME", state_.path().string()}});
  }

  // The report of a replay in which every answer was compared with the provider's own bytes.
  [[nodiscard]] nlohmann::json replay(const Program& proxy) const {
    const auto ended =
        run_program({"replay", "--target", proxy.url(), "--prompts", prompts().string(),
                     "--concurrency", "16", "--verify", "--provider", mock_.url(), "--json"});
    EXPECT_EQ(ended.status, 0) << ended.output << ended.error;
    auto report = nlohmann::json::parse(ended.output);
    EXPECT_EQ(report["errors"], 0);
    EXPECT_EQ(report["mismatches"], 0);
    return report;
  }

  TempDir state_;
  RedisServer redis_;
  Program mock_{{"mock-provider", "--listen", "127.0.0.1:0"}};
};

TEST_F(PromptStreamTest, what_repeats_is_a_hit_here_and_on_a_second_instance) {
  std::uint64_t stored = 0;
  {
    Program first = serve();
    const auto report = replay(first);
    EXPECT_EQ(report["requests"], 19'997);
    EXPECT_GE(report["hit_ratio"], 0.83) << report;
    stored = report["misses"];
    first.process().signal(SIGTERM);  // drains, and writes out what waits for Redis
    EXPECT_EQ(first.process().wait(), 0);
  }
  Program second = serve();
  const auto report = replay(second);
  const std::uint64_t from_redis = report["hits_by_tier"]["l2"];
  EXPECT_GE(static_cast<double>(from_redis), 0.99 * static_cast<double>(stored)) << report;
  EXPECT_LE(static_cast<double>(report["misses"]), 0.01 * static_cast<double>(stored)) << report;
}

}  // namespace
}  // namespace llm_edge_cache::test
