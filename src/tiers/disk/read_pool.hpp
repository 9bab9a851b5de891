// Threads that may wait for the disk, so that nobody else has to.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/thread_annotations.hpp"
#include "llm_edge_cache/result.hpp"
#include "tiers/disk/deadlines.hpp"
#include "tiers/disk/read_gate.hpp"

namespace llm_edge_cache::disk {

// One thing to do on a reader's thread, and its outcome, told once: by the reader, by the deadline
// while the reader is held up, or by whoever turns it away.
class ReadJob : public Deadlines::Waiter {
 public:
  ReadJob(Deadlines& deadlines, ReadGate& gate, TimePoint deadline)
      : deadlines_(deadlines), gate_(gate), deadline_(deadline) {}

  void run();
  void refuse(Error error);
  void on_deadline() override;
  [[nodiscard]] TimePoint deadline() const { return deadline_; }

 protected:
  // What `fail` or `tell` has to say is for them alone: one of them is called, once.
  virtual void read() = 0;
  [[nodiscard]] virtual bool is_fault() const = 0;  // of the disk; after read()
  virtual void tell() = 0;
  virtual void fail(Error error) = 0;

 private:
  enum class State { kQueued, kRunning, kLate, kOver };
  [[nodiscard]] bool change(State from, State to) {
    return state_.compare_exchange_strong(from, to, std::memory_order_acq_rel);
  }

  Deadlines& deadlines_;
  ReadGate& gate_;
  const TimePoint deadline_;
  std::atomic<State> state_{State::kQueued};
};

// Thread-safe. A reader that is held up by the disk holds up the destructor.
class ReadPool {
 public:
  struct Options {
    std::size_t threads = 1;
    std::size_t max_queued = 1'024;  // beside those that run
    std::chrono::milliseconds timeout{100};
  };

  ReadPool(Options options, Deadlines& deadlines, ReadGate& gate);
  ~ReadPool();
  ReadPool(const ReadPool&) = delete;
  ReadPool& operator=(const ReadPool&) = delete;

  // Calls tell(read()), T being a Result: read() on a thread of the pool, tell() there as well, or
  // inside the call or on the deadlines' thread with an error. kUnavailable while the gate is shut,
  // or where too many wait; kDeadlineExceeded; kCancelled.
  template <class T, class Read, class Tell>
  void submit(Read read, Tell tell) {
    submit(std::make_shared<JobOf<T, Read, Tell>>(std::move(read), std::move(tell), deadlines_,
                                                  gate_, deadline()));
  }

  // Cancels what is queued, and what is submitted from now on.
  void close() LEC_EXCLUDES(mutex_);
  [[nodiscard]] bool runs_on_this_thread() const;

 private:
  template <class T, class Read, class Tell>
  class JobOf;
  using JobPtr = std::shared_ptr<ReadJob>;

  [[nodiscard]] TimePoint deadline() const {
    return std::chrono::steady_clock::now() + options_.timeout;
  }
  void submit(const JobPtr& job) LEC_EXCLUDES(mutex_);
  [[nodiscard]] Status admit(const JobPtr& job) LEC_EXCLUDES(mutex_);
  void run() LEC_EXCLUDES(mutex_);
  [[nodiscard]] JobPtr next() LEC_EXCLUDES(mutex_);

  const Options options_;
  Deadlines& deadlines_;
  ReadGate& gate_;
  Mutex mutex_;
  CondVar queued_;
  std::deque<JobPtr> queue_ LEC_GUARDED_BY(mutex_);
  bool closed_ LEC_GUARDED_BY(mutex_) = false;
  std::vector<std::thread> threads_;
};

template <class T, class Read, class Tell>
class ReadPool::JobOf final : public ReadJob {
 public:
  JobOf(Read read, Tell tell, Deadlines& deadlines, ReadGate& gate, TimePoint deadline)
      : ReadJob(deadlines, gate, deadline), read_(std::move(read)), tell_(std::move(tell)) {}

 private:
  void read() override { outcome_ = read_(); }
  bool is_fault() const override {
    return !outcome_.ok() && outcome_.error().code == ErrorCode::kIo;
  }
  void tell() override { tell_(std::move(outcome_)); }
  void fail(Error error) override { tell_(T(std::move(error))); }

  Read read_;
  Tell tell_;
  T outcome_{Error{}};
};

}  // namespace llm_edge_cache::disk
