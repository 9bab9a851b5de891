#include "bench/proxy/histogram.hpp"

#include <bit>
#include <cmath>

namespace llm_edge_cache::bench {

// Below 64 ns a bucket each; above, every power of two is cut into 64.
std::size_t Histogram::bucket_of(std::uint64_t nanoseconds) {
  const auto bits = static_cast<std::size_t>(std::bit_width(nanoseconds));
  if (bits <= kStepBits) return nanoseconds;
  const std::size_t shift = bits - kStepBits - 1;
  return (shift << kStepBits) + (nanoseconds >> shift);
}

std::uint64_t Histogram::highest_of(std::size_t bucket) {
  constexpr std::size_t kSteps = std::size_t{1} << kStepBits;
  if (bucket < 2 * kSteps) return bucket;
  const std::size_t shift = (bucket >> kStepBits) - 1;
  const std::uint64_t step = kSteps + (bucket & (kSteps - 1));
  return ((step + 1) << shift) - 1;
}

void Histogram::add(std::uint64_t nanoseconds) {
  ++counts_[bucket_of(nanoseconds)];
  ++count_;
}

double Histogram::percentile_us(double percent) const {
  const auto wanted =
      static_cast<std::uint64_t>(std::ceil(static_cast<double>(count_) * percent / 100));
  std::uint64_t seen = 0;
  for (std::size_t bucket = 0; bucket < kBuckets; ++bucket) {
    seen += counts_[bucket];
    if (seen > 0 && seen >= wanted) return static_cast<double>(highest_of(bucket)) / 1e3;
  }
  return 0;
}

}  // namespace llm_edge_cache::bench
