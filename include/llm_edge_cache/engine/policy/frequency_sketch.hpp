// How often keys were used lately, in a few bytes per entry.
//
// A count-min sketch of 4-bit counters with conservative update and aging by halving (Einziger,
// Friedman, Manes: TinyLFU, ACM Transactions on Storage 2017), blocked so that a key touches one
// cache line. Halving is lazy: each block remembers the epoch it was last aged in and catches up
// when it is written next, so that aging never stops the cache.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace llm_edge_cache::engine {

/// Not thread-safe. Grows with `reserve`, never shrinks; 8 bytes per reserved entry.
class FrequencySketch {
 public:
  static constexpr std::uint32_t kMaxFrequency = 15;

  explicit FrequencySketch(std::uint64_t seed) : seed_(seed * 2 + 1) { blocks_.resize(1); }

  /// Makes room for `entries` distinct keys. Counts are kept: when the table doubles, both halves
  /// start from the block that they share.
  void reserve(std::uint64_t entries) {
    while (blocks_.size() * kEntriesPerBlock < entries) grow();
  }

  void increment(std::uint64_t hash) {
    const Slots slots = locate(hash);
    Block& block = blocks_[slots.block];
    age(block);
    const std::uint32_t least = minimum(block, slots);
    if (least == kMaxFrequency) return;
    for (const Slot& slot : slots.slot) {
      if (counter(block, slot) == least) block.words[slot.word] += std::uint64_t{1} << slot.shift;
    }
    if (++increments_ >= sample_period()) {
      increments_ = 0;
      ++epoch_;
    }
  }

  [[nodiscard]] std::uint32_t frequency(std::uint64_t hash) const {
    const Slots slots = locate(hash);
    const Block& block = blocks_[slots.block];
    return minimum(block, slots) >> std::min(epochs_behind(block), 4U);
  }

  [[nodiscard]] std::uint64_t capacity_entries() const { return blocks_.size() * kEntriesPerBlock; }
  [[nodiscard]] std::size_t memory_bytes() const { return blocks_.size() * sizeof(Block); }

  /// Counted uses between two halvings.
  [[nodiscard]] std::uint64_t sample_period() const {
    return kSamplesPerEntry * capacity_entries();
  }

 private:
  static constexpr std::size_t kRows = 4;
  static constexpr std::size_t kEntriesPerBlock = 8;
  static constexpr std::uint64_t kSamplesPerEntry = 5;
  /// Of a row's 32 counters the last one is not a counter: the four of them hold the epoch.
  static constexpr std::uint32_t kCountersPerRow = 31;
  static constexpr std::uint32_t kEpochShift = 60;

  struct alignas(64) Block {
    std::array<std::uint64_t, 2 * kRows> words{};
  };
  struct Slot {
    std::uint32_t word;
    std::uint32_t shift;
  };
  struct Slots {
    std::size_t block;
    std::array<Slot, kRows> slot;
  };

  [[nodiscard]] Slots locate(std::uint64_t hash) const {
    std::uint64_t mixed = (hash ^ seed_) * 0x9E3779B97F4A7C15U;
    mixed ^= mixed >> 32;
    Slots slots;
    slots.block = static_cast<std::size_t>(((mixed >> 32) * blocks_.size()) >> 32);
    for (std::uint32_t row = 0; row < kRows; ++row) {
      const auto byte = static_cast<std::uint32_t>(mixed >> (8 * row)) & 0xFF;
      const std::uint32_t index = (byte * kCountersPerRow) >> 8;
      slots.slot[row] = {.word = 2 * row + (index >> 4), .shift = (index & 15) * 4};
    }
    return slots;
  }

  static std::uint32_t counter(const Block& block, const Slot& slot) {
    return static_cast<std::uint32_t>(block.words[slot.word] >> slot.shift) & 0xF;
  }

  static std::uint32_t minimum(const Block& block, const Slots& slots) {
    std::uint32_t least = kMaxFrequency;
    for (const Slot& slot : slots.slot) least = std::min(least, counter(block, slot));
    return least;
  }

  [[nodiscard]] std::uint32_t epochs_behind(const Block& block) const {
    std::uint32_t epoch = 0;
    for (std::size_t row = 0; row < kRows; ++row) {
      epoch |= static_cast<std::uint32_t>(block.words[2 * row + 1] >> kEpochShift) << (4 * row);
    }
    return static_cast<std::uint16_t>(epoch_ - epoch);
  }

  void age(Block& block) const {
    const std::uint32_t behind = epochs_behind(block);
    if (behind == 0) return;
    const std::uint32_t halvings = std::min(behind, 4U);
    const std::uint64_t keep = (0xFU >> halvings) * 0x1111111111111111U;
    for (std::uint64_t& word : block.words) word = (word >> halvings) & keep;
    for (std::size_t row = 0; row < kRows; ++row) {
      std::uint64_t& word = block.words[2 * row + 1];
      word &= ~(std::uint64_t{0xF} << kEpochShift);
      word |= static_cast<std::uint64_t>((epoch_ >> (4 * row)) & 0xF) << kEpochShift;
    }
  }

  void grow() {
    std::vector<Block> grown(blocks_.size() * 2);
    for (std::size_t i = 0; i < grown.size(); ++i) grown[i] = blocks_[i / 2];
    blocks_.swap(grown);
  }

  std::vector<Block> blocks_;
  std::uint64_t seed_;
  std::uint64_t increments_ = 0;
  std::uint16_t epoch_ = 0;
};

}  // namespace llm_edge_cache::engine
