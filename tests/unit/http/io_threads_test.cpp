#include "http/io_threads.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>

#include "test_server.hpp"

namespace llm_edge_cache::http {
namespace {

class OnceTimer final : public Timer {
 public:
  Once<TimePoint> fired;

 private:
  void on_expired() override { fired.set(IoThread::now()); }
};

TEST(IoThreadsTest, tasks_run_on_their_thread) {
  IoThreads threads({.threads = 3});
  ASSERT_EQ(threads.size(), 3U);
  EXPECT_EQ(IoThread::current(), nullptr);
  std::atomic<int> right{0};
  threads.run_on_each([&](IoThread& thread) {
    if (thread.is_current() && IoThread::current() == &threads.at(thread.index())) ++right;
  });
  EXPECT_EQ(right, 3);
}

TEST(IoThreadsTest, no_number_means_one_per_core) {
  IoThreads threads;
  EXPECT_GE(threads.size(), 1U);
}

TEST(IoThreadsTest, too_many_are_refused) {
  EXPECT_THROW(IoThreads({.threads = 5'000}), std::invalid_argument);
}

TEST(IoThreadsTest, a_poll_of_more_than_a_second_is_refused) {
  EXPECT_THROW(IoThreads({.threads = 1, .busy_poll_us = 1'000'001}), std::invalid_argument);
}

TEST(IoThreadsTest, stopped_threads_run_tasks_in_place_and_stop_again) {
  IoThreads threads({.threads = 2});
  threads.stop();
  int runs = 0;
  threads.run_on_each([&](IoThread&) { ++runs; });
  EXPECT_EQ(runs, 2);
  threads.stop();
}

// Always has something to do.
class BusySocket final : public SocketWatcher {
 public:
  explicit BusySocket(SocketEvents& events) : events_(events) { events_.call_soon(*this); }
  ~BusySocket() { events_.remove(*this); }
  BusySocket(const BusySocket&) = delete;
  BusySocket& operator=(const BusySocket&) = delete;

 private:
  void on_ready(SocketReadiness) override { events_.call_soon(*this); }
  SocketEvents& events_;
};

TEST(IoThreadTest, tasks_and_timers_run_beside_a_socket_that_is_always_busy) {
  IoThreads threads({.threads = 1});
  std::optional<BusySocket> busy;
  OnceTimer timer;
  threads.run_on_each([&](IoThread& thread) {
    busy.emplace(thread.socket_events());
    thread.set_timer(timer, std::chrono::milliseconds(20));
  });
  int tasks = 0;
  for (int i = 0; i < 3; ++i) threads.run_on_each([&](IoThread&) { ++tasks; });
  EXPECT_EQ(tasks, 3);
  EXPECT_NO_THROW(static_cast<void>(timer.fired.wait()));
  threads.run_on_each([&](IoThread&) { busy.reset(); });
}

TEST(IoThreadTest, stops_beside_a_socket_that_is_always_busy) {
  IoThreads threads({.threads = 1});
  std::optional<BusySocket> busy;
  threads.run_on_each([&](IoThread& thread) { busy.emplace(thread.socket_events()); });
  threads.stop();
  busy.reset();
}

TEST(IoThreadTest, timers_fire_in_the_order_of_their_deadlines) {
  IoThreads threads({.threads = 1});
  OnceTimer late;
  OnceTimer soon;
  const TimePoint start = IoThread::now();
  threads.run_on_each([&](IoThread& thread) {
    thread.set_timer(late, std::chrono::milliseconds(100));
    thread.set_timer(soon,
                     std::chrono::milliseconds(10));  // the loop must wake earlier than planned
  });
  const TimePoint soon_at = soon.fired.wait();
  EXPECT_GE(soon_at, start + std::chrono::milliseconds(10));
  EXPECT_GE(late.fired.wait(), soon_at);
}

TEST(IoThreadTest, date_is_in_the_format_of_http) {
  IoThreads threads({.threads = 1});
  threads.run_on_each([](IoThread& thread) {
    EXPECT_THAT(std::string(thread.http_date()),
                testing::MatchesRegex("[A-Z][a-z][a-z], [0-9][0-9] [A-Z][a-z][a-z] [0-9][0-9][0-9]"
                                      "[0-9] [0-9][0-9]:[0-9][0-9]:[0-9][0-9] GMT"));
  });
}

}  // namespace
}  // namespace llm_edge_cache::http
