// The threads that do all network work: one event loop each. A connection lives and dies on the
// thread that got it, so nothing on its path is locked.
#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string_view>
#include <thread>
#include <vector>

#include "http/held_answers.hpp"
#include "http/socket_events.hpp"
#include "http/timer_wheel.hpp"
#include "llm_edge_cache/result.hpp"

namespace llm_edge_cache::http {

// One event loop with its timers. Plain sockets wait in socket_events(), the rest in Asio: while
// the ones are busy the other is asked now and then.
//
// Everything but post(), context(), index() and sleeps() is for code that runs on the thread
// itself.
class IoThread {
 public:
  using Executor = boost::asio::io_context::executor_type;

  // Bytes of one read; also the most that a message parser sees at a time.
  static constexpr std::size_t kScratchBytes = 64 * 1024;

  // busy_poll: IoThreadsOptions'.
  explicit IoThread(std::size_t index, std::chrono::microseconds busy_poll = {});
  ~IoThread();
  IoThread(const IoThread&) = delete;
  IoThread& operator=(const IoThread&) = delete;

  // The IoThread whose loop runs the caller, or null.
  [[nodiscard]] static IoThread* current();

  [[nodiscard]] boost::asio::io_context& context() { return context_; }
  [[nodiscard]] std::size_t index() const { return index_; }
  [[nodiscard]] bool is_current() const { return current() == this; }

  // How often the loop has slept. From any thread.
  [[nodiscard]] std::uint64_t sleeps() const { return sleeps_.load(std::memory_order_relaxed); }

  // From any thread: runs task on this one. Tasks left when the loop stops are dropped unrun.
  void post(std::function<void()> task);

  // Sets, or sets again, a deadline of this thread, from recent() on; up to TimerWheel::kTick late.
  void set_timer(Timer& timer, std::chrono::milliseconds delay);
  [[nodiscard]] static TimePoint now() { return std::chrono::steady_clock::now(); }
  // When the sockets that are being served were found ready, which is a batch of events ago at
  // most; otherwise now(). For what need not be exact: looking at the clock is a part of a hit's
  // cost.
  [[nodiscard]] TimePoint recent() const {
    const auto& batch = socket_events_.batch_time();
    return batch ? *batch : now();
  }

  [[nodiscard]] SocketEvents& socket_events() { return socket_events_; }
  // What is held is sent when the sockets that were found ready have been served.
  [[nodiscard]] HeldAnswers& held_answers();
  // Shared by all reads on the thread; what it holds is gone when the reader's call-back returns.
  [[nodiscard]] std::span<char> scratch();
  // RFC 9110 Date of this second.
  [[nodiscard]] std::string_view http_date();

 private:
  friend class IoThreads;
  void run();
  void run_sockets();
  [[nodiscard]] bool polls_on();
  void sleep_in_asio();
  void arm_tick(TimePoint when);

  struct State;
  const std::size_t index_;
  const std::chrono::microseconds busy_poll_;
  std::atomic<std::uint64_t> sleeps_{0};
  SocketEvents socket_events_;  // outlives the streams that Asio's handlers hold
  boost::asio::io_context context_{1};
  std::unique_ptr<State> state_;
};

struct IoThreadsOptions {
  static constexpr std::uint64_t kMaxBusyPollUs = 1'000'000;

  std::size_t threads = 0;  // 0: one per core; at most 1,024
  // How long a thread polls for more after it had something to do, before it sleeps. Waking it
  // takes tens of microseconds where idle processors are halted, as in most virtual machines; a
  // thread that polls takes its whole core meanwhile. 0: it sleeps at once.
  std::uint64_t busy_poll_us = 0;

  [[nodiscard]] Status validate() const;
};

// Starts the threads; stop() or the destructor ends and joins them. Servers and clients that use
// them must be gone, or stopped, before: a stopped loop calls nobody back. Thread-safe.
class IoThreads {
 public:
  // Throws std::invalid_argument when options do not validate.
  explicit IoThreads(IoThreadsOptions options = {});
  ~IoThreads();
  IoThreads(const IoThreads&) = delete;
  IoThreads& operator=(const IoThreads&) = delete;

  [[nodiscard]] std::size_t size() const { return threads_.size(); }
  [[nodiscard]] IoThread& at(std::size_t index) { return *threads_[index]; }
  [[nodiscard]] const IoThread& at(std::size_t index) const { return *threads_[index]; }

  // Runs task on every thread and waits until all have run it; after stop() runs them right here.
  // Not to be called from one of the threads.
  void run_on_each(const std::function<void(IoThread&)>& task);

  // Idempotent; not to be called from one of the threads.
  void stop();

 private:
  std::vector<std::unique_ptr<IoThread>> threads_;
  std::vector<std::thread> running_;
};

}  // namespace llm_edge_cache::http
