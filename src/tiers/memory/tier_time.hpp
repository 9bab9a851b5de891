// The tier's time: the latest reading of the injected clock that any of its calls made, and what
// the clock lost when it was set back.
//
// The engine wants a clock that never goes back and reads it on every hit; a wall clock may step
// back and costs 24 ns. One reading per call, kept here, gives both. The line is written once a
// millisecond at most.
//
// A clock that was set back by an hour must not hold up the tier's time for that hour, or no entry
// would leave in it: the time goes on from where it was. A thread that comes with a reading from
// before puts it ahead by as much, which costs entries, never an answer.
#pragma once

#include <atomic>
#include <cstdint>

#include "llm_edge_cache/clock.hpp"

namespace llm_edge_cache {

inline constexpr std::int64_t kNsPerMs = 1'000'000;

// Threads: any.
class TierTime {
 public:
  explicit TierTime(UnixMillis now_ms) : latest_ms_(now_ms) {}

  void observe(UnixMillis now_ms) {
    auto lost_ms = lost_ms_.load(std::memory_order_relaxed);
    const auto time_ms = now_ms + lost_ms;
    auto latest_ms = latest_ms_.load(std::memory_order_relaxed);
    while (time_ms > latest_ms &&
           !latest_ms_.compare_exchange_weak(latest_ms, time_ms, std::memory_order_relaxed)) {
    }
    if (latest_ms - time_ms > kMostLateMs) [[unlikely]] {
      // Where another thread was first, it has seen to it.
      lost_ms_.compare_exchange_strong(lost_ms, lost_ms + (latest_ms - time_ms),
                                       std::memory_order_relaxed);
    }
  }
  // Counts on from the reading it was made with; as the clock's own until that is set back.
  [[nodiscard]] UnixMillis now_ms() const { return latest_ms_.load(std::memory_order_relaxed); }

 private:
  // Readings of two threads may come in the wrong order: what is late by less is no step back.
  static constexpr UnixMillis kMostLateMs = 10'000;

  std::atomic<UnixMillis> latest_ms_;
  std::atomic<UnixMillis> lost_ms_{0};
};

// What the engine takes as its clock; the time outlives it.
class EngineTime {
 public:
  explicit EngineTime(const TierTime& time) : time_(&time) {}
  [[nodiscard]] std::int64_t now_ns() const { return time_->now_ms() * kNsPerMs; }

 private:
  const TierTime* time_;
};

}  // namespace llm_edge_cache
