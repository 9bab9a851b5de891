// A proxy whose thread polls before it sleeps answers as one whose thread sleeps at once.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <string>

#include "tests/scenario/metrics.hpp"
#include "tests/scenario/program.hpp"
#include "tests/scenario/raw_client.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/temp_dir.hpp"

namespace llm_edge_cache::test {
namespace {

using ::testing::HasSubstr;

class BusyPollScenario : public ::testing::TestWithParam<const char*> {
 protected:
  [[nodiscard]] double sleeps() const { return metric_of(proxy_, "llm_edge_io_sleeps_total"); }

  TempDir state_;
  Program mock_{{"mock-provider", "--listen", "127.0.0.1:0"}};
  Program proxy_{serve_arguments(mock_.url(), {"--threads", "1", "--busy-poll-us", GetParam()}),
                 {{"XDG_STATE_HOME", state_.path().string()}}};
};

TEST_P(BusyPollScenario, answers_sleeps_and_ends_as_any) {
  const double before = sleeps();
  for (int i = 0; i < 20; ++i) {
    const auto question = "question " + std::to_string(i);
    const auto missed = ask_chat(proxy_.address("listen"), question);
    const auto hit = ask_chat(proxy_.address("listen"), question);
    EXPECT_EQ(missed.status, 200);
    EXPECT_THAT(hit.field("cache-status"), HasSubstr("hit"));
    EXPECT_EQ(hit.body, missed.body);
  }
  EXPECT_TRUE(eventually([&] { return sleeps() > before; }));
  proxy_.process().signal(SIGTERM);
  EXPECT_EQ(proxy_.process().wait(), 0);
}

INSTANTIATE_TEST_SUITE_P(Microseconds, BusyPollScenario, ::testing::Values("0", "100", "1000000"));

}  // namespace
}  // namespace llm_edge_cache::test
