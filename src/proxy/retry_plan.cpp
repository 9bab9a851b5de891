#include "proxy/retry_plan.hpp"

#include <utility>

namespace llm_edge_cache::proxy {

using std::chrono::milliseconds;

RetryPlan::RetryPlan(const RetryOptions& options, Terms terms)
    : options_(options), terms_(terms), was_tried_(terms.members, false) {}

std::optional<RetryPlan::Attempt> RetryPlan::first(MemberGate& gate, TimePoint now) {
  deadline_ = now + milliseconds(options_.deadline_ms);
  if (const auto next = next_member(gate)) {
    return next;
  }
  for (std::size_t member = 0; member < terms_.members; ++member) {
    if (!gate.is_unreachable(member)) {
      return start_at(member);
    }
  }
  return std::nullopt;
}

std::optional<RetryPlan::Attempt> RetryPlan::after(const AttemptFailure& failure, MemberGate& gate,
                                                   TimePoint now) {
  const bool was_acted_on =
      failure.end == AttemptEnd::kNoAnswer || failure.end == AttemptEnd::kServerError;
  if (now > deadline_ || (was_acted_on && !terms_.is_repeatable)) {
    return std::nullopt;
  }
  if (failure.end == AttemptEnd::kRateLimited) {
    if (const auto again = same_again(failure, now)) {
      return again;
    }
  }
  if (const auto next = next_member(gate)) {
    return next;
  }
  return same_again(failure, now);
}

std::optional<RetryPlan::Attempt> RetryPlan::next_member(MemberGate& gate) {
  for (std::size_t member = 0; member < terms_.members; ++member) {
    if (!was_tried_[member] && gate.admits(member)) {
      return start_at(member);
    }
  }
  return std::nullopt;
}

RetryPlan::Attempt RetryPlan::start_at(std::size_t member) {
  was_tried_[member] = true;
  member_ = member;
  retries_ = 0;
  return {member, milliseconds(0)};
}

std::optional<RetryPlan::Attempt> RetryPlan::same_again(const AttemptFailure& failure,
                                                        TimePoint now) {
  const bool is_told_when = failure.retry_after && (failure.end == AttemptEnd::kBusy ||
                                                    failure.end == AttemptEnd::kRateLimited);
  if (retries_ == options_.max_retries ||
      (failure.end != AttemptEnd::kNoConnection && !is_told_when)) {
    return std::nullopt;
  }
  // The jitter comes on top: all who were refused were told the same.
  const auto told = is_told_when ? *failure.retry_after : milliseconds(0);
  if (told > milliseconds(options_.max_wait_ms)) {
    return std::nullopt;
  }
  const auto delay = told + backoff();
  if (now + delay > deadline_) {
    return std::nullopt;
  }
  ++retries_;
  return Attempt{member_, delay};
}

milliseconds RetryPlan::backoff() {
  if (!backoff_) {
    backoff_.emplace(Backoff::Options{.min = milliseconds(options_.min_backoff_ms),
                                      .max = milliseconds(options_.max_backoff_ms)},
                     terms_.seed);
  }
  return backoff_->next();
}

}  // namespace llm_edge_cache::proxy
