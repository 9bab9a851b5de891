#include "listening.hpp"

#include <gtest/gtest.h>

#include <csignal>
#include <thread>

namespace llm_edge_cache::app {
namespace {

TEST(BoundAddressTest, has_the_host_of_the_option_and_the_port_that_was_bound) {
  EXPECT_EQ(bound_address("127.0.0.1:0", 4711), "127.0.0.1:4711");
  EXPECT_EQ(bound_address("localhost:80", 80), "localhost:80");
  EXPECT_EQ(bound_address("[::1]:0", 4711), "[::1]:4711");
  EXPECT_EQ(bound_address(":0", 4711), "0.0.0.0:4711");
}

TEST(PrintReadyTest, is_one_line_of_json) {
  testing::internal::CaptureStdout();
  print_ready({{"listen", "127.0.0.1:1"}, {"admin", "127.0.0.1:2"}});
  EXPECT_EQ(testing::internal::GetCapturedStdout(),
            "{\"event\":\"ready\",\"listen\":\"127.0.0.1:1\",\"admin\":\"127.0.0.1:2\"}\n");
}

TEST(StopSignalsTest, wait_ends_when_the_work_of_stopping_is_done) {
  StopSignals signals;
  ::raise(SIGTERM);
  int stops = 0;
  std::jthread worker;
  signals.wait([&](const StopSignals::Finished& finished) {
    ++stops;
    worker = std::jthread(finished);
  });
  EXPECT_EQ(stops, 1);
}

TEST(StopSignalsTest, the_second_signal_ends_the_process) {
  EXPECT_EXIT(
      {
        StopSignals signals;
        ::raise(SIGINT);
        signals.wait([](const StopSignals::Finished&) { ::raise(SIGINT); });
      },
      ::testing::ExitedWithCode(128 + SIGINT), "");
}

}  // namespace
}  // namespace llm_edge_cache::app
