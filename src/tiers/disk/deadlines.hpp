// Ends the waiting of those whose answer does not come in time.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <thread>
#include <utility>

#include "base/thread_annotations.hpp"

namespace llm_edge_cache::disk {

using TimePoint = std::chrono::steady_clock::time_point;

// A thread of its own, because the others may be held up by the disk. Thread-safe.
class Deadlines {
 public:
  class Waiter {
   public:
    virtual ~Waiter() = default;
    // On the deadlines' thread, at most once, not after forget() unless it had begun.
    virtual void on_deadline() = 0;
  };
  using WaiterPtr = std::shared_ptr<Waiter>;

  Deadlines() : thread_([this] { run(); }) {}
  // Whoever still waits is let go without a call.
  ~Deadlines();
  Deadlines(const Deadlines&) = delete;
  Deadlines& operator=(const Deadlines&) = delete;

  void watch(WaiterPtr waiter, TimePoint deadline) LEC_EXCLUDES(mutex_);
  // To be told the same deadline; a waiter that is not watched is ignored.
  void forget(Waiter& waiter, TimePoint deadline) LEC_EXCLUDES(mutex_);

  [[nodiscard]] std::thread::id thread_id() const { return thread_.get_id(); }

 private:
  void run() LEC_EXCLUDES(mutex_);
  // Waits for the next deadline; null when it is time to end.
  [[nodiscard]] WaiterPtr next() LEC_EXCLUDES(mutex_);

  Mutex mutex_;
  CondVar changed_;
  std::map<std::pair<TimePoint, Waiter*>, WaiterPtr> waiting_ LEC_GUARDED_BY(mutex_);
  // When the thread looks again by itself: whoever ends later need not wake it.
  TimePoint wakes_at_ LEC_GUARDED_BY(mutex_) = TimePoint::min();
  bool stopping_ LEC_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace llm_edge_cache::disk
