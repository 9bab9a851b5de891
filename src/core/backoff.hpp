// Exponential backoff with full jitter: each wait is random between the minimum and a bound that
// doubles from one failure to the next (Brooker, "Exponential Backoff and Jitter", 2015; the lower
// end is the minimum instead of zero, so that a dead server is never hammered).
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <random>

namespace llm_edge_cache {

class Backoff {
 public:
  struct Options {
    std::chrono::milliseconds min{50};
    std::chrono::milliseconds max{5'000};  // at least min
  };

  Backoff(Options options, std::uint64_t seed) : options_(options), random_(seed) { reset(); }

  [[nodiscard]] std::chrono::milliseconds next();
  void reset() { bound_ = std::min(options_.min * 2, options_.max); }

 private:
  Options options_;
  std::chrono::milliseconds bound_;
  std::mt19937_64 random_;
};

}  // namespace llm_edge_cache
