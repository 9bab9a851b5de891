// The tier's time: the latest reading of the injected clock that any of its calls made.
//
// The engine wants a clock that never goes back and reads it on every hit; a wall clock may step
// back and costs 24 ns. One reading per call, kept here, gives both. The line is written once a
// millisecond at most.
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
    auto latest_ms = latest_ms_.load(std::memory_order_relaxed);
    while (now_ms > latest_ms &&
           !latest_ms_.compare_exchange_weak(latest_ms, now_ms, std::memory_order_relaxed)) {
    }
  }
  [[nodiscard]] UnixMillis now_ms() const { return latest_ms_.load(std::memory_order_relaxed); }

 private:
  std::atomic<UnixMillis> latest_ms_;
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
