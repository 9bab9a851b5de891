// Whether an I/O thread that has nothing to do looks again at once, or sleeps.
//
// An answer from a server nearby is there sooner than a thread that sleeps has woken up. One from
// further away never comes within the bound, and looking for it would cost a core for nothing: so
// what was in vain is soon not tried any more, but once in a while.
//
// Not thread-safe.
#pragma once

#include <algorithm>
#include <chrono>
#include <optional>

namespace llm_edge_cache::redis {

class BusyPoll {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  // Waits in vain, as many more than others, after which sleeping is the rule; and the waits of
  // which one is polled even then.
  static constexpr int kPatience = 8;
  static constexpr unsigned kRetryEvery = 64;

  // How long one wait is polled at most; 0: never.
  explicit BusyPoll(std::chrono::microseconds bound) : bound_(bound) {}

  // There was nothing to do. True: look again; false: sleep. A wait that begins is only polled for
  // an answer that somebody waits for.
  [[nodiscard]] bool look_again(bool is_awaited, TimePoint now) {
    if (!since_) {
      if (!is_awaited || !is_worth_it()) return false;
      since_ = now;
    }
    if (now - *since_ < bound_) return true;
    since_.reset();
    patience_ = std::max(patience_ - 1, 0);
    return false;
  }

  // There was something to do.
  void on_work() {
    if (!since_) return;
    since_.reset();
    patience_ = std::min(patience_ + 1, kPatience);
  }

 private:
  bool is_worth_it() {
    if (bound_.count() == 0) return false;
    return patience_ > 0 || ++slept_ % kRetryEvery == 0;
  }

  const std::chrono::microseconds bound_;
  std::optional<TimePoint> since_;  // of the wait that is being polled
  int patience_ = kPatience;
  unsigned slept_ = 0;
};

}  // namespace llm_edge_cache::redis
