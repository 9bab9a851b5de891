#include "core/circuit_breaker.hpp"

namespace llm_edge_cache {

void CircuitBreaker::record_success() {
  if (state_ == BreakerState::kOpen) return;  // the answer to a question asked before it opened
  state_ = BreakerState::kClosed;
  failures_ = 0;
}

void CircuitBreaker::record_failure(TimePoint now) {
  if (state_ == BreakerState::kOpen) return;
  ++failures_;
  if (state_ == BreakerState::kClosed && failures_ < options_.failures) return;
  state_ = BreakerState::kOpen;
  probe_at_ = now + options_.open_for;
}

bool CircuitBreaker::start_probe(TimePoint now) {
  if (state_ != BreakerState::kOpen || now < probe_at_) return false;
  state_ = BreakerState::kHalfOpen;
  return true;
}

}  // namespace llm_edge_cache
