// Who of a group is asked next, and when: a state machine that does no I/O and is told the time.
//
//   no connection          the next member; where there is none, the same again after a backoff
//   none within its time   the next member; never the same again: it would cost that time again
//   no answer, or 5xx      the next member; never the same again: the call may have been paid for
//   503 with Retry-After   the next member; where there is none, the same again when it says
//   429 with Retry-After   the same again when it says, then the next member
//   429 without            the next member
//
// The backoff is random and doubles. Whatever an attempt brought when there is nobody left to ask,
// or no time, is the answer.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "core/backoff.hpp"
#include "proxy/upstream_options.hpp"

namespace llm_edge_cache::proxy {

// Why an attempt is not the answer yet.
enum class AttemptEnd {
  kNoConnection,  // nothing was sent
  kUnreachable,   // nothing was sent, for no connection came within its deadline
  kNoAnswer,      // something may have been, and no answer began
  kBusy,          // 503
  kRateLimited,   // 429
  kServerError,   // any other status of 500 and above
};

struct AttemptFailure {
  AttemptEnd end = AttemptEnd::kNoConnection;
  std::optional<std::chrono::milliseconds> retry_after = {};
};

// What is known of the members beside this request.
class MemberGate {
 public:
  virtual ~MemberGate() = default;
  // Whether a member is worth an attempt; a yes may be the only one for a while, so ask to act.
  [[nodiscard]] virtual bool admits(std::size_t member) = 0;
  // Whether the last attempt at it was kUnreachable.
  [[nodiscard]] virtual bool is_unreachable(std::size_t member) = 0;
};

// Not thread-safe: one request's own.
class RetryPlan {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  struct Terms {
    std::size_t members = 1;
    // False: the provider may have acted on what was sent, so that only what it has certainly not
    // acted on is sent again.
    bool is_repeatable = true;
    std::uint64_t seed = 0;
  };
  struct Attempt {
    std::size_t member = 0;
    std::chrono::milliseconds delay{0};

    friend bool operator==(const Attempt&, const Attempt&) = default;
  };

  RetryPlan(const RetryOptions& options, Terms terms);

  // The first member that the gate admits; where it admits none, the first that is reachable: that
  // costs no more than its answer. Empty where no attempt is worth its time.
  [[nodiscard]] std::optional<Attempt> first(MemberGate& gate, TimePoint now);
  // Empty: the answer is what the last attempt brought.
  [[nodiscard]] std::optional<Attempt> after(const AttemptFailure& failure, MemberGate& gate,
                                             TimePoint now);

 private:
  [[nodiscard]] std::optional<Attempt> next_member(MemberGate& gate);
  [[nodiscard]] std::optional<Attempt> same_again(const AttemptFailure& failure, TimePoint now);
  [[nodiscard]] Attempt start_at(std::size_t member);
  [[nodiscard]] std::chrono::milliseconds backoff();

  const RetryOptions options_;
  const Terms terms_;
  TimePoint deadline_;
  std::vector<bool> was_tried_;
  std::size_t member_ = 0;
  std::uint32_t retries_ = 0;  // of member_
  std::optional<Backoff> backoff_;
};

}  // namespace llm_edge_cache::proxy
