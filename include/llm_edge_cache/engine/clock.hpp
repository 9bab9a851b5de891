// Time as the engine sees it: nanoseconds of a clock that never goes back.
#pragma once

#include <atomic>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <limits>

namespace llm_edge_cache::engine {

/// Copies of a clock read the same time. `now_ns` must be callable by any thread and never go back.
template <class Clock>
concept EngineClock = std::copyable<Clock> && requires(const Clock clock) {
  { clock.now_ns() } -> std::same_as<std::int64_t>;
};

inline constexpr std::int64_t kNeverNs = std::numeric_limits<std::int64_t>::max();

/// CLOCK_MONOTONIC, about 20 ns a reading, no system call.
struct SteadyClock {
  [[nodiscard]] std::int64_t now_ns() const {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(
               std::chrono::steady_clock::now().time_since_epoch())
        .count();
  }
};

/// Time that its owner sets; for tests and simulations. The owner outlives the clock.
class ManualClock {
 public:
  explicit ManualClock(const std::atomic<std::int64_t>& now_ns) : now_ns_(&now_ns) {}

  [[nodiscard]] std::int64_t now_ns() const { return now_ns_->load(std::memory_order_acquire); }

 private:
  const std::atomic<std::int64_t>* now_ns_;
};

/// The clock of one cache: exact for writes, and for reads either exact or, while a janitor keeps
/// it, coarse.
///
/// The coarse time runs ahead of the exact one by at most two periods (`publish`), never behind
/// while the janitor is on time: an entry may expire that much early for a reader, not late.
template <EngineClock Clock>
class CacheClock {
 public:
  explicit CacheClock(Clock clock) : clock_(clock) {}

  [[nodiscard]] std::int64_t exact_ns() const { return clock_.now_ns(); }

  [[nodiscard]] std::int64_t read_ns() const {
    const std::int64_t coarse = coarse_ns_.load(std::memory_order_relaxed);
    if (coarse != kExact) [[likely]] {
      return coarse;
    }
    return clock_.now_ns();
  }

  void publish(std::int64_t period_ns) {
    coarse_ns_.store(clock_.now_ns() + 2 * period_ns, std::memory_order_relaxed);
  }

 private:
  static constexpr std::int64_t kExact = 0;

  Clock clock_;
  std::atomic<std::int64_t> coarse_ns_{kExact};
};

}  // namespace llm_edge_cache::engine
