#include "workloads.hpp"

#include <algorithm>
#include <cmath>

#include "llm_edge_cache/engine/policy/split_mix.hpp"

namespace llm_edge_cache::bench {

namespace {

using engine::SplitMix64;

constexpr std::uint64_t kOwnKeys = std::uint64_t{1} << 40;

double unit(SplitMix64& random) {
  return static_cast<double>(random.next() >> 11) * 0x1p-53;
}

std::vector<double> cumulative_weights(const Zipf& shape) {
  std::vector<double> sums(shape.keys);
  double sum = 0;
  for (std::uint64_t k = 0; k < shape.keys; ++k) {
    sums[k] = sum += std::pow(static_cast<double>(k + 1), -shape.exponent);
  }
  return sums;
}

}  // namespace

Keys zipf(const Zipf& shape, std::size_t requests, std::uint64_t seed) {
  SplitMix64 random(seed);
  const std::vector<double> sums = cumulative_weights(shape);
  Keys keys(requests);
  for (std::size_t i = 0; i < requests; ++i) {
    const auto at = std::lower_bound(sums.begin(), sums.end(), unit(random) * sums.back());
    const auto rank = static_cast<std::uint64_t>(at - sums.begin());
    keys[i] = shape.drift_every == 0 ? rank : rank + i / shape.drift_every;
  }
  return keys;
}

Keys loop(std::uint64_t distinct, std::size_t requests) {
  Keys keys(requests);
  for (std::size_t i = 0; i < requests; ++i) keys[i] = i % distinct;
  return keys;
}

Keys one_hit_wonders(const Zipf& shape, std::size_t requests, std::uint64_t seed) {
  Keys keys = zipf(shape, requests, seed);
  for (std::size_t i = 0; i < requests; i += 2) keys[i] = kOwnKeys + i;
  return keys;
}

Keys scans(const Zipf& shape, std::uint64_t scan_keys, std::size_t requests, std::uint64_t seed) {
  Keys keys = zipf(shape, requests, seed);
  for (std::size_t i = 0; i < requests; ++i) {
    if (i / scan_keys % 2 == 1) keys[i] = kOwnKeys + i % scan_keys;
  }
  return keys;
}

Keys short_lives(std::uint64_t uses, std::uint64_t distance, std::size_t requests,
                 std::uint64_t seed) {
  SplitMix64 random(seed);
  Keys keys(requests);
  for (std::size_t i = 0; i < requests; ++i) {
    const std::uint64_t newest = i / uses;
    keys[i] = newest + random.next() % (distance / uses + 1);
  }
  return keys;
}

Keys phases(const std::vector<Keys>& parts) {
  Keys keys;
  for (std::size_t p = 0; p < parts.size(); ++p) {
    for (const std::uint64_t key : parts[p]) keys.push_back(key + p * 2 * kOwnKeys);
  }
  return keys;
}

std::vector<Workload> standard_workloads(std::uint64_t capacity, std::uint64_t seed) {
  const std::size_t n = 100 * capacity;
  const Zipf steady{.exponent = 0.9, .keys = 20 * capacity};
  const Zipf drifting{.exponent = 0.9, .keys = 20 * capacity, .drift_every = 10};
  const Zipf racing{.exponent = 1.1, .keys = 20 * capacity, .drift_every = 1};
  const std::uint64_t three_quarters = capacity * 3 / 4;
  return {
      {"zipf", zipf(steady, n, seed)},
      {"zipf, drifting", zipf(drifting, n, seed)},
      {"zipf, racing", zipf(racing, n, seed)},
      {"zipf and one-hit wonders", one_hit_wonders(steady, n, seed)},
      {"zipf and scans", scans(steady, 2 * capacity, n, seed)},
      {"loop of 4/3 the capacity", loop(capacity * 4 / 3, n)},
      {"loop of 4 times the capacity", loop(capacity * 4, n)},
      {"short lives", short_lives(4, three_quarters, n, seed)},
      {"short lives over the capacity", short_lives(4, 2 * capacity, n, seed)},
      {"loop, then short lives",
       phases({loop(capacity * 2, n / 2), short_lives(4, three_quarters, n / 2, seed)})},
      {"short lives, then loop",
       phases({short_lives(4, three_quarters, n / 2, seed), loop(capacity * 2, n / 2)})},
      {"zipf, loop, short lives, zipf",
       phases({zipf(steady, n / 4, seed), loop(capacity * 2, n / 4),
               short_lives(4, three_quarters, n / 4, seed), zipf(steady, n / 4, seed + 1)})},
  };
}

}  // namespace llm_edge_cache::bench
