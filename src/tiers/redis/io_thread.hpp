// A thread that runs an io_context until there is nothing left for it to do.
#pragma once

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstddef>
#include <thread>

namespace llm_edge_cache::redis {

// Thread-safe but for construction and join().
class IoThread {
 public:
  // Polls for at most so long, where lookups wait for an answer, before it sleeps (BusyPoll).
  // `lookups` outlives the thread.
  IoThread(std::chrono::microseconds busy_poll, const std::atomic<std::size_t>& lookups);

  [[nodiscard]] boost::asio::io_context& context() { return context_; }
  [[nodiscard]] bool is_this_thread() const {
    return thread_.get_id() == std::this_thread::get_id();
  }

  // It ends once all work has.
  void finish() { work_.reset(); }
  // After finish(); the context stays, for what its objects hold of it.
  void join() { thread_.join(); }

 private:
  void run();

  const std::chrono::microseconds busy_poll_;
  const std::atomic<std::size_t>& lookups_;
  boost::asio::io_context context_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{
      context_.get_executor()};
  std::thread thread_;
};

}  // namespace llm_edge_cache::redis
