// Time as the cache sees it, injected so that tests move it by hand.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>

namespace llm_edge_cache {

// Milliseconds since the Unix epoch.
using UnixMillis = std::int64_t;

// Thread-safe. now_ms() may step with the system's clock; expiry follows it, because entries carry
// absolute times between machines.
class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual UnixMillis now_ms() const = 0;
};

class SystemClock final : public Clock {
 public:
  [[nodiscard]] UnixMillis now_ms() const override {
    return std::chrono::duration_cast<std::chrono::milliseconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
  }
};

// A clock that stands still until it is told to move.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(UnixMillis start_ms = 1'700'000'000'000) : now_ms_(start_ms) {}
  [[nodiscard]] UnixMillis now_ms() const override {
    return now_ms_.load(std::memory_order_acquire);
  }
  void advance_ms(std::int64_t delta_ms) { now_ms_.fetch_add(delta_ms, std::memory_order_acq_rel); }

 private:
  std::atomic<UnixMillis> now_ms_;
};

using ClockPtr = std::shared_ptr<const Clock>;

}  // namespace llm_edge_cache
