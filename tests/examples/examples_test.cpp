#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "tests/support/child_process.hpp"
#include "tests/support/redis_server.hpp"

namespace llm_edge_cache::test {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;

struct Run {
  int status = -1;
  std::string output;
};

Run run(const std::string& example, std::vector<std::string> arguments = {}) {
  arguments.insert(arguments.begin(), LEC_EXAMPLES_DIR "/" + example);
  ChildProcess child({.argv = std::move(arguments)});
  const auto status = child.wait();
  return {status.value_or(-1), child.output() + child.error_output()};
}

TEST(ExamplesTest, basic_cache_asks_the_provider_once_per_question) {
  const auto [status, output] = run("basic_cache");
  EXPECT_EQ(status, 0);
  EXPECT_THAT(output, HasSubstr("first time:\n  miss\n  asking the provider\n  A set that"));
  EXPECT_THAT(output, HasSubstr("second time:\n  l1_hit\n  A set that"));
  EXPECT_THAT(output, HasSubstr("another temperature:\n  miss\n  asking the provider\n"));
  EXPECT_THAT(output, HasSubstr("invalidated: yes\nentries left: 1\n"));
}

TEST(ExamplesTest, distributed_cache_shares_answers_through_redis) {
  RedisServer server;
  const auto [status, output] = run("distributed_cache", {server.url()});
  EXPECT_EQ(status, 0) << output;
  // Where the news of Berlin's write comes between the two lookups, memory has let go of it again.
  EXPECT_THAT(output, MatchesRegex("oslo: l2_hit: Glomma, 621 km.\n"
                                   "oslo: l[12]_hit: Glomma, 621 km.\n"
                                   "answers in Redis: 1\n"
                                   "berlin invalidated it: yes\n"
                                   "oslo has let go of it: yes\n"));
  EXPECT_EQ(server.command({"DBSIZE"}), "0");
}

TEST(ExamplesTest, distributed_cache_says_what_is_wrong) {
  EXPECT_THAT(run("distributed_cache").output, HasSubstr("usage: "));

  const auto invalid = run("distributed_cache", {"http://example.com"});
  EXPECT_EQ(invalid.status, 1);
  EXPECT_THAT(invalid.output, HasSubstr("redis URL"));

  const auto down = run("distributed_cache", {"redis+unix:///nonexistent/socket"});
  EXPECT_EQ(down.status, 1);
  EXPECT_EQ(down.output, "Redis does not answer\n");
}

TEST(ExamplesTest, metrics_monitoring_counts_hits_and_misses) {
  const auto [status, output] = run("metrics_monitoring");
  EXPECT_EQ(status, 0);
  EXPECT_EQ(output,
            "requests 20  l1 hits 15  misses 5  writes 5  hit rate 0.750  entries 5\n"
            "a minute later\n"
            "requests 40  l1 hits 30  misses 10  writes 10  hit rate 0.750  entries 5\n"
            "healthy: yes\n");
}

}  // namespace
}  // namespace llm_edge_cache::test
