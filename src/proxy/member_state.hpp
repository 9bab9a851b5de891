// What is counted and remembered of one member of an upstream group.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/latency_histogram.hpp"
#include "proxy/member_health.hpp"

namespace llm_edge_cache::proxy {

// How an attempt showed itself; a request may take several.
enum class AttemptResult {
  kOk,             // an answer began, of any status that is not below
  kRateLimited,    // 429
  kServerError,    // 500 and above
  kConnectFailed,  // no connection, TLS included
  kTimeout,        // no connection, or no first byte, within its deadline
  kBroken,         // closed before an answer began, or not HTTP
};
inline constexpr std::size_t kAttemptResultCount =
    static_cast<std::size_t>(AttemptResult::kBroken) + 1;
[[nodiscard]] std::string_view to_string(AttemptResult result);

struct UpstreamMemberReport {
  std::string group;
  std::string url;
  std::array<std::uint64_t, kAttemptResultCount> attempts{};
  BreakerState breaker = BreakerState::kClosed;
  HistogramSnapshot time_to_first_byte;  // of attempts that were answered
};

// Thread-safe.
class MemberState {
 public:
  using TimePoint = MemberHealth::TimePoint;

  explicit MemberState(const RetryOptions& options) : health_(options) {}

  [[nodiscard]] bool admits(TimePoint now) { return health_.admits(now); }
  // An answer of this status began.
  void record_status(std::uint16_t status, TimePoint started, TimePoint now);
  // None did.
  void record_failure(AttemptResult result, TimePoint now);
  // It was given up, or could not be made, for reasons of our own.
  void record_nothing(TimePoint now) { health_.record_nothing(now); }

  [[nodiscard]] UpstreamMemberReport report(std::string group, std::string url) const;

 private:
  void count(AttemptResult result) {
    attempts_[static_cast<std::size_t>(result)].fetch_add(1, std::memory_order_relaxed);
  }

  MemberHealth health_;
  std::array<std::atomic<std::uint64_t>, kAttemptResultCount> attempts_{};
  LatencyHistogram first_byte_;
};

}  // namespace llm_edge_cache::proxy
