// The thread that keeps a cache's coarse clock and cleans up when nobody else does.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>

namespace llm_edge_cache::engine {

/// Calls `tick` once per period until destroyed; the destructor waits for a running tick.
class Janitor {
 public:
  Janitor(std::chrono::nanoseconds period, std::function<void()> tick)
      : period_(period), tick_(std::move(tick)), thread_([this] { run(); }) {}

  ~Janitor() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_one();
    thread_.join();
  }
  Janitor(const Janitor&) = delete;
  Janitor& operator=(const Janitor&) = delete;

 private:
  void run() {
    std::unique_lock lock(mutex_);
    while (!wake_.wait_for(lock, period_, [this] { return stopping_; })) {
      lock.unlock();
      tick_();
      lock.lock();
    }
  }

  std::chrono::nanoseconds period_;
  std::function<void()> tick_;
  std::mutex mutex_;  ///< Guards `stopping_`.
  std::condition_variable wake_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace llm_edge_cache::engine
