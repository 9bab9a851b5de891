// Circuit breaker (Nygard, "Release It!", 2007), on time that is passed in.
//
// Closed: consecutive failures are counted, one success forgets them. Open: nobody is to ask. When
// it has been open long enough, one probe is let through (half-open); the next outcome closes it or
// opens it for another period.
//
// Not thread-safe.
#pragma once

#include <chrono>
#include <cstdint>

#include "core/tier.hpp"

namespace llm_edge_cache {

class CircuitBreaker {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  struct Options {
    std::uint32_t failures = 3;  // at least 1
    std::chrono::milliseconds open_for{1'000};
  };

  explicit CircuitBreaker(Options options) : options_(options) {}

  void record_success();
  void record_failure(TimePoint now);
  // True, once per period, when the caller is to send the probe now.
  [[nodiscard]] bool start_probe(TimePoint now);

  [[nodiscard]] BreakerState state() const { return state_; }
  // While open: when start_probe() will say yes.
  [[nodiscard]] TimePoint probe_at() const { return probe_at_; }

 private:
  Options options_;
  BreakerState state_ = BreakerState::kClosed;
  std::uint32_t failures_ = 0;
  TimePoint probe_at_{};
};

}  // namespace llm_edge_cache
