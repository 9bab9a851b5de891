#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/io_threads.hpp"
#include "raw_client.hpp"
#include "test_server.hpp"
#include "tests/support/eventually.hpp"

namespace llm_edge_cache::http::busy_poll_test {
namespace {

using test::eventually;

class OnceTimer final : public Timer {
 public:
  Once<TimePoint> fired;

 private:
  void on_expired() override { fired.set(IoThread::now()); }
};

// What the thread is asked from outside: a task, a timer, and a request over a plain socket.
void ask_for_everything(IoThreads& threads, RawClient& client) {
  OnceTimer timer;
  threads.run_on_each(
      [&](IoThread& thread) { thread.set_timer(timer, std::chrono::milliseconds(1)); });
  timer.fired.wait();
  client.send(get("/polled"));
  EXPECT_THAT(client.read_response(), ::testing::EndsWith("GET /polled "));
}

TEST(BusyPollTest, a_thread_that_polls_does_not_sleep_between_events) {
  TestServer server(echo, {}, {.threads = 1, .busy_poll_us = IoThreadsOptions::kMaxBusyPollUs});
  RawClient client(server.port());
  ask_for_everything(server.threads(), client);
  const auto sleeps = server.threads().at(0).sleeps();
  ask_for_everything(server.threads(), client);
  // A machine that stands still for a second lets it sleep; then nothing is to be learned.
  EXPECT_LE(server.threads().at(0).sleeps(), sleeps + 1);
}

TEST(BusyPollTest, a_thread_sleeps_once_it_has_polled_in_vain_and_wakes_again) {
  TestServer server(echo, {}, {.threads = 1, .busy_poll_us = 1});
  RawClient client(server.port());
  const auto& thread = server.threads().at(0);
  for (int i = 0; i < 3; ++i) {
    const auto sleeps = thread.sleeps();
    ask_for_everything(server.threads(), client);
    EXPECT_TRUE(eventually([&] { return thread.sleeps() > sleeps; }));
  }
}

}  // namespace
}  // namespace llm_edge_cache::http::busy_poll_test
