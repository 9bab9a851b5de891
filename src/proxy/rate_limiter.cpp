#include "proxy/rate_limiter.hpp"

#include <algorithm>

namespace llm_edge_cache::proxy {
namespace {

constexpr std::uint64_t kMostPer1000S = 1'000'000'000;
constexpr std::uint64_t kMostBurst = 1'000'000;

std::int64_t to_ns(RateLimiter::TimePoint time) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count();
}

}  // namespace

Status RateLimit::validate() const {
  if (per_1000_s > kMostPer1000S) {
    return Error{ErrorCode::kInvalidArgument, "the rate must be at most 1000000 requests a second"};
  }
  if (burst == 0 || burst > kMostBurst) {
    return Error{ErrorCode::kInvalidArgument, "burst must be from 1 to 1000000"};
  }
  return {};
}

bool RateLimiter::is_at_rest(TimePoint now) const {
  return full_at_ns_.load(std::memory_order_relaxed) <= to_ns(now);
}

std::optional<std::chrono::nanoseconds> RateLimiter::take(const RateLimit& limit, TimePoint now) {
  if (limit.per_1000_s == 0) return std::nullopt;
  constexpr std::int64_t kNsPer1000S = 1'000'000'000'000;
  const auto interval_ns =
      std::max<std::int64_t>(1, kNsPer1000S / static_cast<std::int64_t>(limit.per_1000_s));
  const auto slack_ns = interval_ns * static_cast<std::int64_t>(limit.burst - 1);
  const auto now_ns = to_ns(now);
  auto stored_ns = full_at_ns_.load(std::memory_order_relaxed);
  for (;;) {
    // Further away than an empty bucket can be, it was left by a slower limit.
    const auto full_at_ns = std::clamp(stored_ns, now_ns, now_ns + slack_ns + interval_ns);
    if (full_at_ns - now_ns > slack_ns) {
      return std::chrono::nanoseconds(full_at_ns - now_ns - slack_ns);
    }
    if (full_at_ns_.compare_exchange_weak(stored_ns, full_at_ns + interval_ns,
                                          std::memory_order_relaxed)) {
      return std::nullopt;
    }
  }
}

bool ConcurrencyLimiter::enter(std::uint64_t limit) {
  auto active = active_.load(std::memory_order_relaxed);
  do {
    if (limit != 0 && active >= limit) return false;
  } while (!active_.compare_exchange_weak(active, active + 1, std::memory_order_acq_rel,
                                          std::memory_order_relaxed));
  return true;
}

}  // namespace llm_edge_cache::proxy
