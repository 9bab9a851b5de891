#include "proxy/member_health.hpp"

namespace llm_edge_cache::proxy {

MemberHealth::MemberHealth(const RetryOptions& options)
    : breaker_({.failures = options.max_errors,
                .open_for = std::chrono::milliseconds(options.open_ms)}) {}

bool MemberHealth::admits(TimePoint now) {
  const MutexLock lock(mu_);
  return breaker_.state() == BreakerState::kClosed || breaker_.start_probe(now);
}

void MemberHealth::record_answer() {
  const MutexLock lock(mu_);
  breaker_.record_success();
}

void MemberHealth::record_error(TimePoint now) {
  const MutexLock lock(mu_);
  breaker_.record_failure(now);
}

void MemberHealth::record_silence(TimePoint now) {
  const MutexLock lock(mu_);
  while (breaker_.state() != BreakerState::kOpen) {
    breaker_.record_failure(now);
  }
}

void MemberHealth::record_nothing(TimePoint now) {
  const MutexLock lock(mu_);
  if (breaker_.state() == BreakerState::kHalfOpen) {
    breaker_.record_failure(now);
  }
}

BreakerState MemberHealth::state() const {
  const MutexLock lock(mu_);
  return breaker_.state();
}

}  // namespace llm_edge_cache::proxy
