// How often somebody may ask.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <limits>
#include <optional>

#include "llm_edge_cache/result.hpp"

namespace llm_edge_cache::proxy {

struct RateLimit {
  std::uint64_t per_1000_s = 0;  // requests in a thousand seconds; 0: any number
  std::uint64_t burst = 1;       // requests that may come at once after a rest

  // kInvalidArgument says what is out of bounds.
  [[nodiscard]] Status validate() const;

  friend bool operator==(const RateLimit&, const RateLimit&) = default;
};

// A token bucket, kept as the time at which it would be full again (the generic cell rate
// algorithm, ITU-T I.371): one number, whatever the rate, and no lock. Thread-safe.
class RateLimiter {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  // Nothing where the request may go on, which it then counts for; else how long it is until one
  // may. The limit may be another each time.
  [[nodiscard]] std::optional<std::chrono::nanoseconds> take(const RateLimit& limit, TimePoint now);
  // Nothing of the limit is used: as good as new.
  [[nodiscard]] bool is_at_rest(TimePoint now) const;

 private:
  std::atomic<std::int64_t> full_at_ns_ = std::numeric_limits<std::int64_t>::min();
};

// How many may be at work at once. Thread-safe.
class ConcurrencyLimiter {
 public:
  // False where `limit` are at work; 0: any number may be. Whoever got true calls leave() once.
  [[nodiscard]] bool enter(std::uint64_t limit);
  void leave() { active_.fetch_sub(1, std::memory_order_acq_rel); }
  [[nodiscard]] std::uint64_t active() const { return active_.load(std::memory_order_acquire); }

 private:
  std::atomic<std::uint64_t> active_ = 0;
};

}  // namespace llm_edge_cache::proxy
