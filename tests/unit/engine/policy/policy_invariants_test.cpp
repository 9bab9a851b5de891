// Both policies under random operations, every invariant checked after every step.

#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

#include "llm_edge_cache/engine/policy/lru_policy.hpp"
#include "llm_edge_cache/engine/policy/tiny_lfu_policy.hpp"
#include "tests/unit/engine/policy/simulated_cache.hpp"

namespace llm_edge_cache::engine {
namespace {

struct Shape {
  PolicyBounds bounds;
  std::uint64_t keys;
  std::uint32_t max_weight;
};

const std::vector<Shape> kShapes = {
    {{.max_entries = 1}, 4, 3},
    {{.max_entries = 2}, 5, 3},
    {{.max_entries = 20}, 60, 3},
    {{.max_weight_bytes = 100}, 60, 30},
    {{.max_entries = 15, .max_weight_bytes = 100}, 60, 120},
    {{.max_entries = 15, .max_weight_bytes = 0}, 60, 2},
};

template <class Cache>
void do_something(Cache& cache, const Shape& shape, SplitMix64& random) {
  const std::uint64_t key = random.next() % shape.keys;
  const auto weight = static_cast<std::uint32_t>(random.next() % (shape.max_weight + 1));
  const std::uint64_t choice = random.next() % 16;
  if (choice == 0 && cache.contains(key)) {
    cache.remove(key);
  } else if (choice == 1 && cache.contains(key)) {
    cache.reweigh(key, weight);
  } else if (choice == 2 && cache.contains(key)) {
    cache.replace(key, weight);
  } else if (choice == 3 && random.next() % 8 == 0) {
    PolicyBounds bounds = shape.bounds;
    if (bounds.max_entries != kUnbounded) bounds.max_entries = 1 + random.next() % 30;
    if (bounds.max_weight_bytes != kUnbounded) bounds.max_weight_bytes = random.next() % 150;
    cache.resize(bounds);
  } else {
    cache.use(key, weight);
  }
}

template <template <class> class Policy>
void check_every_step(std::uint64_t seed) {
  for (const Shape& shape : kShapes) {
    testing::SimulatedCache<Policy> cache({.bounds = shape.bounds, .seed = seed});
    SplitMix64 random(seed);
    for (int step = 0; step < 3000; ++step) {
      do_something(cache, shape, random);
      ASSERT_TRUE(cache.policy().validate()) << "seed " << seed << ", step " << step;
      ASSERT_EQ(cache.policy().count(), cache.size());
      ASSERT_EQ(cache.policy().hottest(1000).size(), cache.size());
    }
  }
}

TEST(PolicyInvariantsTest, hold_for_tiny_lfu_after_every_step) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) check_every_step<TinyLfuPolicy>(seed);
}

TEST(PolicyInvariantsTest, hold_for_lru_after_every_step) {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) check_every_step<LruPolicy>(seed);
}

}  // namespace
}  // namespace llm_edge_cache::engine
