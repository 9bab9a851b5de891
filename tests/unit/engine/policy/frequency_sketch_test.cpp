#include "llm_edge_cache/engine/policy/frequency_sketch.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include "llm_edge_cache/engine/policy/split_mix.hpp"

namespace llm_edge_cache::engine {
namespace {

std::uint64_t hash_of(std::uint64_t key) {
  return SplitMix64(key).next();
}

FrequencySketch sketch_for(std::uint64_t entries, std::uint64_t seed = 1) {
  FrequencySketch sketch(entries, seed);
  for (std::uint64_t n = 1; n < entries; n *= 2) {
    sketch.reserve(n);
    for (std::uint64_t i = 0; i < n; ++i) sketch.increment(hash_of(0));
  }
  sketch.reserve(entries);
  for (std::uint64_t i = 0; i < entries; ++i) sketch.increment(hash_of(0));
  return sketch;
}

TEST(FrequencySketchTest, counts_up_to_fifteen) {
  FrequencySketch sketch = sketch_for(1000);
  EXPECT_EQ(sketch.frequency(hash_of(7)), 0U);
  for (std::uint32_t i = 1; i <= 20; ++i) {
    sketch.increment(hash_of(7));
    EXPECT_EQ(sketch.frequency(hash_of(7)), std::min(i, 15U));
  }
}

TEST(FrequencySketchTest, hardly_ever_counts_a_key_that_was_not_used) {
  FrequencySketch sketch = sketch_for(10'000);
  for (std::uint64_t key = 1; key <= 10'000; ++key) sketch.increment(hash_of(key));
  int wrong = 0;
  for (std::uint64_t key = 20'001; key <= 30'000; ++key) {
    wrong += sketch.frequency(hash_of(key)) > 0 ? 1 : 0;
  }
  EXPECT_LT(wrong, 200);
}

TEST(FrequencySketchTest, never_counts_too_few_before_it_ages) {
  FrequencySketch sketch(1000, 1);
  sketch.reserve(1000);
  for (std::uint64_t key = 0; key < 1000; ++key) {
    for (std::uint64_t i = 0; i < key % 4; ++i) sketch.increment(hash_of(key));
  }
  for (std::uint64_t key = 0; key < 1000; ++key) {
    EXPECT_GE(sketch.frequency(hash_of(key)), key % 4) << key;
  }
}

TEST(FrequencySketchTest, halves_all_counts_after_a_sample_period) {
  FrequencySketch sketch = sketch_for(1000);
  const std::uint64_t hot = hash_of(7);
  for (int i = 0; i < 12; ++i) sketch.increment(hot);
  const std::uint32_t before = sketch.frequency(hot);
  std::vector<std::uint32_t> seen{before};
  for (std::uint64_t i = 0; i < 4 * sketch.sample_period(); ++i) {
    sketch.increment(hash_of(1000 + i));
    if (sketch.frequency(hot) < seen.back()) seen.push_back(sketch.frequency(hot));
  }
  ASSERT_GE(seen.size(), 3U);
  EXPECT_LE(seen[1], before / 2 + 2);
  EXPECT_LT(seen.back(), before / 2);
}

TEST(FrequencySketchTest, what_is_not_used_any_more_is_forgotten) {
  FrequencySketch sketch = sketch_for(1000);
  for (int i = 0; i < 15; ++i) sketch.increment(hash_of(7));
  for (std::uint64_t i = 0; i < 8 * sketch.sample_period(); ++i) {
    sketch.increment(hash_of(1000 + i % 500));
  }
  EXPECT_LE(sketch.frequency(hash_of(7)), 4U);
  EXPECT_GT(sketch.frequency(hash_of(1000)), 4U);
}

TEST(FrequencySketchTest, growing_keeps_every_count) {
  FrequencySketch sketch(kUnbounded, 1);
  sketch.reserve(100);
  for (std::uint64_t key = 1; key <= 20; ++key) {
    for (std::uint64_t i = 0; i < key % 8; ++i) sketch.increment(hash_of(key));
  }
  for (std::uint64_t entries = 128; entries <= 4096; entries *= 2) {
    sketch.reserve(entries);
    for (std::uint64_t key = 1; key <= 20; ++key) {
      EXPECT_GE(sketch.frequency(hash_of(key)), key % 8) << entries;
    }
    for (int i = 0; i < 10; ++i) sketch.increment(hash_of(1000));  // Fills the larger table.
  }
}

TEST(FrequencySketchTest, costs_eight_bytes_an_entry_at_its_bound_and_little_before) {
  FrequencySketch sketch(100'000, 1);
  EXPECT_LE(sketch.memory_bytes(), 4096U);
  sketch.reserve(1000);
  for (int i = 0; i < 10'000; ++i) {
    sketch.reserve(1000);
    sketch.increment(hash_of(1));
  }
  EXPECT_LE(sketch.memory_bytes(), 16'000U);
  for (int i = 0; i < 200'000; ++i) {
    sketch.reserve(100'000);
    sketch.increment(hash_of(static_cast<std::uint64_t>(i)));
  }
  EXPECT_GE(sketch.memory_bytes(), 8 * 100'000U);
  EXPECT_LE(sketch.memory_bytes(), 8.1 * 100'000U);
}

TEST(FrequencySketchTest, other_seeds_collide_elsewhere) {
  FrequencySketch one(256, 1);
  FrequencySketch two(256, SplitMix64(2).next());
  for (FrequencySketch* sketch : {&one, &two}) {
    sketch->reserve(256);
    for (std::uint64_t key = 0; key < 1000; ++key) sketch->increment(hash_of(key));
  }
  int differences = 0;
  for (std::uint64_t key = 5000; key < 6000; ++key) {
    differences += one.frequency(hash_of(key)) != two.frequency(hash_of(key)) ? 1 : 0;
  }
  EXPECT_GT(differences, 50);
}

}  // namespace
}  // namespace llm_edge_cache::engine
