#include "proxy/member_state.hpp"

#include <utility>

namespace llm_edge_cache::proxy {

std::string_view to_string(AttemptResult result) {
  switch (result) {
    case AttemptResult::kOk:
      return "ok";
    case AttemptResult::kRateLimited:
      return "rate_limited";
    case AttemptResult::kServerError:
      return "server_error";
    case AttemptResult::kConnectFailed:
      return "connect_failed";
    case AttemptResult::kTimeout:
      return "timeout";
    case AttemptResult::kBroken:
      return "broken";
  }
  return "broken";
}

void MemberState::record_status(std::uint16_t status, TimePoint started, TimePoint now) {
  first_byte_.observe(now - started);
  if (status >= 500) {
    count(AttemptResult::kServerError);
    health_.record_error(now);
    return;
  }
  count(status == 429 ? AttemptResult::kRateLimited : AttemptResult::kOk);
  health_.record_answer();
}

void MemberState::record_failure(AttemptResult result, TimePoint now) {
  count(result);
  health_.record_silence(now);
}

UpstreamMemberReport MemberState::report(std::string group, std::string url) const {
  UpstreamMemberReport report;
  report.group = std::move(group);
  report.url = std::move(url);
  for (std::size_t i = 0; i < kAttemptResultCount; ++i) {
    report.attempts[i] = attempts_[i].load(std::memory_order_relaxed);
  }
  report.breaker = health_.state();
  report.time_to_first_byte = first_byte_.snapshot();
  return report;
}

}  // namespace llm_edge_cache::proxy
