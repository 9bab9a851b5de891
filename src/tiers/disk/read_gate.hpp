// Turns readers away while waiting for the disk would be vain: while a read is past its deadline
// and has not come back, and while the circuit breaker is not closed. A disk that freezes therefore
// costs one deadline, and only those who were already waiting.
#pragma once

#include <atomic>
#include <cstddef>

#include "base/thread_annotations.hpp"
#include "core/circuit_breaker.hpp"

namespace llm_edge_cache::disk {

// Thread-safe.
class ReadGate {
 public:
  using TimePoint = CircuitBreaker::TimePoint;

  explicit ReadGate(CircuitBreaker::Options options) : breaker_(options) {}

  // A read is overdue, and nobody has come back from the disk since.
  [[nodiscard]] bool is_frozen() const { return overdue_.load(std::memory_order_acquire) > 0; }
  // Whether to read from the disk now. After a yes, one of record_success(),
  // record_failure() and abandon() follows.
  [[nodiscard]] bool try_enter(TimePoint now) LEC_EXCLUDES(mutex_) {
    if (is_frozen()) return false;
    const MutexLock lock(mutex_);
    return breaker_.state() == BreakerState::kClosed || breaker_.start_probe(now);
  }
  void record_success() LEC_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    breaker_.record_success();
  }
  void record_failure(TimePoint now) LEC_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    breaker_.record_failure(now);
  }
  // There was no read after all: a probe that was let in leaves its place to a later one.
  void abandon(TimePoint now) LEC_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    if (breaker_.state() == BreakerState::kHalfOpen) breaker_.record_failure(now);
  }

  void begin_overdue() { overdue_.fetch_add(1, std::memory_order_acq_rel); }
  void end_overdue() { overdue_.fetch_sub(1, std::memory_order_acq_rel); }

  [[nodiscard]] BreakerState state() const LEC_EXCLUDES(mutex_) {
    if (is_frozen()) return BreakerState::kOpen;
    const MutexLock lock(mutex_);
    return breaker_.state();
  }

 private:
  std::atomic<std::size_t> overdue_{0};
  mutable Mutex mutex_;
  CircuitBreaker breaker_ LEC_GUARDED_BY(mutex_);
};

}  // namespace llm_edge_cache::disk
