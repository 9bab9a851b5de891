#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace llm_edge_cache::bench {

// Counts of times in buckets whose width is at most 1/64 of the time itself. Not thread-safe.
class Histogram {
 public:
  void add(std::uint64_t nanoseconds);

  [[nodiscard]] std::uint64_t count() const { return count_; }
  // The time, in microseconds, that `percent` of the counted ones do not exceed; 0 when empty.
  [[nodiscard]] double percentile_us(double percent) const;

 private:
  static constexpr std::size_t kStepBits = 6;
  static constexpr std::size_t kBuckets = (65 - kStepBits) << kStepBits;

  static std::size_t bucket_of(std::uint64_t nanoseconds);
  static std::uint64_t highest_of(std::size_t bucket);

  std::array<std::uint64_t, kBuckets> counts_{};
  std::uint64_t count_ = 0;
};

}  // namespace llm_edge_cache::bench
