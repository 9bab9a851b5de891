// How often keys were used lately, in 8 bytes per entry.
//
// A count-min sketch of 4-bit counters with aging by halving (Einziger, Friedman, Manes: TinyLFU,
// ACM Transactions on Storage 2017), blocked so that a key touches one cache line. Neither aging
// nor growing ever stops the cache: a block remembers the epoch that it was last halved in and
// catches up when it is next written, and a larger table is filled, and the old one's memory given
// back, a few blocks per use.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <type_traits>
#include <utility>

#include "llm_edge_cache/engine/platform.hpp"
#include "llm_edge_cache/engine/policy/node_links.hpp"

namespace llm_edge_cache::engine {

/// Not thread-safe. Grows with `reserve`, never shrinks. Every operation is O(1).
class FrequencySketch {
 public:
  static constexpr std::uint32_t kMaxFrequency = 15;

  /// `max_entries` (kUnbounded if not known) only makes the table fit exactly when it is reached:
  /// it starts at no more than 4 KiB whatever the bound. `seed` keeps collisions unpredictable.
  FrequencySketch(std::uint64_t max_entries, std::uint64_t seed) : seed_(seed) {
    const std::uint64_t blocks = std::max<std::uint64_t>(blocks_for(max_entries), 1);
    const int width = static_cast<int>(std::bit_width(blocks));
    const int doublings = std::max(width - kFirstBlocksLog2, 0);
    table_ = make_table(std::max<std::uint64_t>(((blocks - 1) >> doublings) + 1, 1));
    filled_ = table_.size;
  }

  /// Makes room for `entries` distinct keys, by one doubling at a time. Counts are kept: when the
  /// table doubles, both halves start from the block that they share.
  void reserve(std::uint64_t entries) {
    reserved_ = std::max(reserved_, entries);
    if (table_.size < blocks_for(reserved_) && filled_ == table_.size) start_doubling();
  }

  void increment(std::uint64_t hash) {
    if (filled_ < table_.size) continue_doubling();
    const Slots slots = locate(hash);
    Block& block = block_of(slots);
    age(block);
    if (minimum(block, slots) == kMaxFrequency) return;
    for (const Slot& slot : slots.slot) {
      if (counter(block, slot) < kMaxFrequency) {
        block.words[slot.word] += std::uint64_t{1} << slot.shift;
      }
    }
    if (++increments_ >= sample_period()) {
      increments_ = 0;
      ++epoch_;
    }
  }

  /// An estimate from 0 to kMaxFrequency, hardly ever too low.
  [[nodiscard]] std::uint32_t frequency(std::uint64_t hash) const {
    const Slots slots = locate(hash);
    const Block& block = block_of(slots);
    return minimum(block, slots) >> std::min(epochs_behind(block), kMaxHalvings);
  }

  /// Uses counted between two halvings.
  [[nodiscard]] std::uint64_t sample_period() const { return kSamplesPerEntry * reserved_; }

  [[nodiscard]] std::size_t memory_bytes() const {
    return (table_.size + old_.size) * sizeof(Block);
  }

 private:
  static constexpr std::uint32_t kRows = 4;
  static constexpr std::uint64_t kEntriesPerBlock = 8;
  static constexpr int kFirstBlocksLog2 = 6;
  /// As Caffeine: ten uses per entry, of which halving leaves five.
  static constexpr std::uint64_t kSamplesPerEntry = 5;
  /// The last of a row's 32 nibbles is not a counter: the four of them hold the block's epoch.
  static constexpr std::uint32_t kCountersPerRow = 31;
  static constexpr std::uint32_t kEpochShift = 60;
  static constexpr std::uint32_t kMaxHalvings = 4;
  static constexpr std::size_t kBlocksFilledPerUse = 4;
  static constexpr std::size_t kBlocksGivenBack = 1024;

  struct alignas(64) Block {
    std::array<std::uint64_t, std::size_t{2} * kRows> words;
  };
  static_assert(std::is_trivially_default_constructible_v<Block>);

  struct FreePages {
    std::size_t bytes;
    void operator()(Block* blocks) const noexcept { free_pages(blocks, bytes); }
  };
  struct Table {
    std::unique_ptr<Block[], FreePages> blocks;
    std::size_t size = 0;
  };
  struct Slot {
    std::uint32_t word;
    std::uint32_t shift;
  };
  struct Slots {
    std::size_t block;
    std::array<Slot, kRows> slot;
  };

  static std::uint64_t blocks_for(std::uint64_t entries) {
    return entries == kUnbounded ? 0 : (entries + kEntriesPerBlock - 1) / kEntriesPerBlock;
  }

  /// All zero, in pages that become memory when they are touched.
  static Table make_table(std::size_t size) {
    const std::size_t bytes = round_up(size * sizeof(Block), kPageBytes);
    auto* blocks = static_cast<Block*>(allocate_pages(bytes));
    return {.blocks = {blocks, FreePages{bytes}}, .size = size};
  }

  [[nodiscard]] Slots locate(std::uint64_t hash) const {
    std::uint64_t mixed = (hash ^ seed_) * 0x9E3779B97F4A7C15U;
    mixed ^= mixed >> 32;
    Slots slots;
    slots.block = static_cast<std::size_t>(((mixed >> 32) * table_.size) >> 32);
    for (std::uint32_t row = 0; row < kRows; ++row) {
      const auto byte = static_cast<std::uint32_t>(mixed >> (8 * row)) & 0xFF;
      const std::uint32_t index = (byte * kCountersPerRow) >> 8;
      slots.slot[row] = {.word = 2 * row + (index >> 4), .shift = (index & 15) * 4};
    }
    return slots;
  }

  [[nodiscard]] Block& block_of(const Slots& slots) const {
    return slots.block < filled_ ? table_.blocks[slots.block] : old_.blocks[slots.block / 2];
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
    for (std::uint32_t row = 0; row < kRows; ++row) {
      epoch |= static_cast<std::uint32_t>(block.words[2 * row + 1] >> kEpochShift) << (4 * row);
    }
    return static_cast<std::uint16_t>(epoch_ - epoch);
  }

  void age(Block& block) const {
    const std::uint32_t behind = epochs_behind(block);
    if (behind == 0) return;
    const std::uint32_t halvings = std::min(behind, kMaxHalvings);
    const std::uint64_t keep = (0xFU >> halvings) * 0x1111111111111111U;
    for (std::uint64_t& word : block.words) word = (word >> halvings) & keep;
    for (std::uint32_t row = 0; row < kRows; ++row) {
      std::uint64_t& word = block.words[2 * row + 1];
      word &= ~(std::uint64_t{0xF} << kEpochShift);
      word |= (std::uint64_t{epoch_} >> (4 * row) & 0xF) << kEpochShift;
    }
  }

  void start_doubling() {
    old_ = std::move(table_);
    table_ = make_table(old_.size * 2);
    filled_ = 0;
    continue_doubling();
  }

  void continue_doubling() {
    for (std::size_t n = 0; n < kBlocksFilledPerUse && filled_ < table_.size; ++n, ++filled_) {
      table_.blocks[filled_] = old_.blocks[filled_ / 2];
    }
    // Of a large table all at once would take milliseconds.
    const std::size_t done = filled_ / 2;
    if (done % kBlocksGivenBack == 0) {
      empty_pages(&old_.blocks[done - kBlocksGivenBack], kBlocksGivenBack * sizeof(Block));
    }
    if (filled_ == table_.size) old_ = Table{};
  }

  Table table_;
  Table old_;               ///< While doubling: where the blocks from `filled_` on still are.
  std::size_t filled_ = 0;  ///< Blocks of `table_` in use; all of them when not doubling.
  std::uint64_t seed_;
  std::uint64_t reserved_ = 1;
  std::uint64_t increments_ = 0;
  std::uint16_t epoch_ = 0;
};

}  // namespace llm_edge_cache::engine
