// What SIGTERM does.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <string>
#include <system_error>
#include <vector>

#include "tests/scenario/program.hpp"
#include "tests/scenario/raw_client.hpp"
#include "tests/support/eventually.hpp"

namespace llm_edge_cache::test {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;

// Slow enough to be under way when the signal comes.
const std::vector<std::string> kSlowMock = {
    "mock-provider", "--listen", "127.0.0.1:0", "--ttft-ms", "50", "--tokens-per-second", "100"};

bool is_refused(const std::string& address) {
  try {
    const RawClient client(address);
    return false;
  } catch (const std::system_error& error) {
    return error.code() == std::errc::connection_refused;
  }
}

TEST(DrainTest, an_answer_under_way_ends_whole_and_new_connections_are_refused) {
  Program mock(kSlowMock);
  Program proxy(serve_arguments(mock.url()));
  RawClient client(proxy.address("listen"));
  client.send(chat_request("slow", /*stream=*/true));
  client.wait_for_bytes();
  proxy.process().signal(SIGTERM);
  ASSERT_TRUE(eventually([&] { return get(proxy.address("admin"), "/readyz").status == 503; }));
  EXPECT_TRUE(eventually([&] { return is_refused(proxy.address("listen")); }));
  const auto answer = client.read_answer();
  ASSERT_TRUE(answer.has_value());
  EXPECT_THAT(answer->body, EndsWith("data: [DONE]\n\n"));
  EXPECT_EQ(proxy.process().wait(), 0);
}

TEST(DrainTest, an_idle_proxy_ends_at_once) {
  Program proxy(serve_arguments("http://127.0.0.1:1", {"--drain-timeout-ms", "600000"}));
  RawClient idle(proxy.address("listen"));
  proxy.process().signal(SIGTERM);
  EXPECT_EQ(proxy.process().wait(), 0);
  EXPECT_TRUE(idle.is_closed_by_server());
}

TEST(DrainTest, an_answer_that_takes_too_long_is_cut_not_ended) {
  Program mock({"mock-provider", "--listen", "127.0.0.1:0", "--tokens-per-second", "0.1"});
  Program proxy(serve_arguments(mock.url(), {"--drain-timeout-ms", "100"}));
  RawClient client(proxy.address("listen"));
  client.send(chat_request("endless", /*stream=*/true));
  client.wait_for_bytes();
  proxy.process().signal(SIGTERM);
  EXPECT_FALSE(client.read_answer().has_value());
  EXPECT_EQ(proxy.process().wait(), 0);
}

TEST(DrainTest, a_second_signal_ends_at_once) {
  Program mock({"mock-provider", "--listen", "127.0.0.1:0", "--tokens-per-second", "0.1"});
  Program proxy(serve_arguments(mock.url(), {"--drain-timeout-ms", "600000"}));
  RawClient client(proxy.address("listen"));
  client.send(chat_request("endless", /*stream=*/true));
  client.wait_for_bytes();
  proxy.process().signal(SIGINT);
  ASSERT_TRUE(proxy.process().wait_for_line("draining").has_value());
  proxy.process().signal(SIGINT);
  EXPECT_EQ(proxy.process().wait(), 128 + SIGINT);
}

}  // namespace
}  // namespace llm_edge_cache::test
