// What the proxy remembers of an upstream: whether it is worth asking.
#pragma once

#include <chrono>

#include "base/thread_annotations.hpp"
#include "core/circuit_breaker.hpp"
#include "proxy/upstream_options.hpp"

namespace llm_edge_cache::proxy {

// A circuit breaker that one attempt without an answer opens at once, and answers of 500 and above
// by their number. Thread-safe.
class MemberHealth {
 public:
  using TimePoint = CircuitBreaker::TimePoint;

  explicit MemberHealth(const RetryOptions& options);

  // False while the member is passed over; true once per period, for the request that tries it. One
  // of the four below must follow a true.
  [[nodiscard]] bool admits(TimePoint now);

  void record_answer();
  void record_error(TimePoint now);
  void record_silence(TimePoint now);
  // The attempt was given up before it showed anything.
  void record_nothing(TimePoint now);

  [[nodiscard]] BreakerState state() const;

 private:
  mutable Mutex mu_;
  CircuitBreaker breaker_ LEC_GUARDED_BY(mu_);
};

}  // namespace llm_edge_cache::proxy
