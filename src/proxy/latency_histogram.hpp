// A histogram of milliseconds with fixed buckets, cheap enough for every request.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace llm_edge_cache::proxy {

// Upper bounds, inclusive; what is above the last goes to one more bucket (+Inf).
inline constexpr std::array<double, 16> kUpstreamBucketsMs = {
    1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1'000, 2'500, 5'000, 10'000, 30'000, 60'000, 120'000};

struct HistogramSnapshot {
  // Observations in each bucket alone (not cumulative); the last is +Inf.
  std::array<std::uint64_t, kUpstreamBucketsMs.size() + 1> counts{};
  double sum_ms = 0;
  std::uint64_t count = 0;
};

// Thread-safe. A snapshot taken while observations arrive may miss the newest of them.
class LatencyHistogram {
 public:
  void observe(std::chrono::nanoseconds elapsed) {
    const double elapsed_ms = std::chrono::duration<double, std::milli>(elapsed).count();
    const auto bucket =
        std::lower_bound(kUpstreamBucketsMs.begin(), kUpstreamBucketsMs.end(), elapsed_ms) -
        kUpstreamBucketsMs.begin();
    counts_[static_cast<std::size_t>(bucket)].fetch_add(1, std::memory_order_relaxed);
    sum_ns_.fetch_add(elapsed.count(), std::memory_order_relaxed);
  }

  [[nodiscard]] HistogramSnapshot snapshot() const {
    HistogramSnapshot result;
    for (std::size_t i = 0; i < counts_.size(); ++i) {
      result.counts[i] = counts_[i].load(std::memory_order_relaxed);
      result.count += result.counts[i];
    }
    result.sum_ms = static_cast<double>(sum_ns_.load(std::memory_order_relaxed)) / 1e6;
    return result;
  }

 private:
  std::array<std::atomic<std::uint64_t>, kUpstreamBucketsMs.size() + 1> counts_{};
  std::atomic<std::int64_t> sum_ns_ = 0;
};

}  // namespace llm_edge_cache::proxy
