// An open-addressing table of handles, one cache line per group of twelve.
//
// A group holds a tag of eight hash bits for each slot, so that a lookup compares twelve keys' tags
// at once and rarely looks at a node in vain, and a count of the entries that found the group full
// and went on, so that a lookup knows when to stop and erasing leaves no tombstones (as in
// Bronson and Shi, "Open-sourcing F14 for faster, more memory-efficient hash tables", 2019).
//
// Any number of readers (`find`) may run beside one writer. Entries never move within a table, and
// a handle is stored before its tag; so a key that stays in the table is always found.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>

#include "llm_edge_cache/engine/platform.hpp"
#include "llm_edge_cache/engine/policy/node_links.hpp"

// The thread sanitizer is shown the two atomic words instead.
#if defined(__SSE2__) && !defined(LEC_ENGINE_TSAN)
#define LEC_ENGINE_SSE2 1
#include <emmintrin.h>
#endif

namespace llm_edge_cache::engine {

namespace detail {

/// One bit for each of the 16 bytes that equals `tag`.
inline std::uint32_t match_bytes(std::uint64_t low, std::uint64_t high, std::uint8_t tag) {
  const auto match_word = [tag](std::uint64_t word) {
    constexpr std::uint64_t kLow7 = 0x7F7F7F7F7F7F7F7FU;
    const std::uint64_t x = word ^ (0x0101010101010101U * tag);
    const std::uint64_t zero_bytes = ~(((x & kLow7) + kLow7) | x | kLow7);
    return static_cast<std::uint32_t>(((zero_bytes >> 7) * 0x0102040810204080U) >> 56);
  };
  return match_word(low) | match_word(high) << 8;
}

#ifdef LEC_ENGINE_SSE2
/// The same for bytes in memory. Each half is read at once, which is all that its writers promise;
/// volatile, because they write at the same time.
[[gnu::always_inline]] inline std::uint32_t match_bytes(const void* bytes, std::uint8_t tag) {
  const __m128i tags = *static_cast<const volatile __m128i*>(bytes);
  const __m128i wanted = _mm_set1_epi8(static_cast<char>(tag));
  return static_cast<std::uint32_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(tags, wanted)));
}
#endif

}  // namespace detail

struct alignas(kCacheLineBytes) Group {
  static constexpr std::uint32_t kSlots = 12;

  std::atomic<std::uint64_t> tags[2]{};  ///< Bytes 0-11: tag, or 0 if free. Byte 12: overflow.
  std::atomic<Handle> handles[kSlots];

  Group() {
    for (auto& handle : handles) handle.store(kNullHandle, std::memory_order_relaxed);
  }

  /// A bit for each slot that holds this tag.
  [[nodiscard, gnu::always_inline]] std::uint32_t match(std::uint8_t tag) const {
#ifdef LEC_ENGINE_SSE2
    const std::uint32_t hits = detail::match_bytes(static_cast<const void*>(tags), tag);
    // What is read through a slot comes after.
    std::atomic_thread_fence(std::memory_order_acquire);
#else
    const std::uint32_t hits = detail::match_bytes(tags[0].load(std::memory_order_acquire),
                                                   tags[1].load(std::memory_order_acquire), tag);
#endif
    return hits & ((1U << kSlots) - 1);
  }

  /// Entries that found this group full; 255 stands for that or more.
  [[nodiscard]] std::uint32_t overflow() const {
    return static_cast<std::uint32_t>(tags[1].load(std::memory_order_acquire) >> kOverflowShift) &
           kSticky;
  }

  /// kSlots if there is none. A tag of 0 may be an entry's too.
  [[nodiscard]] std::uint32_t free_slot() const {
    for (std::uint32_t free = match(0); free != 0; free &= free - 1) {
      const auto slot = static_cast<std::uint32_t>(std::countr_zero(free));
      if (handles[slot].load(std::memory_order_relaxed) == kNullHandle) return slot;
    }
    return kSlots;
  }

  void set(std::uint32_t slot, std::uint8_t tag, Handle handle) {
    handles[slot].store(handle, std::memory_order_release);
    std::atomic<std::uint64_t>& word = tags[slot >> 3];
    const std::uint32_t shift = (slot & 7) * 8;
    word.store((word.load(std::memory_order_relaxed) & ~(std::uint64_t{0xFF} << shift)) |
                   static_cast<std::uint64_t>(tag) << shift,
               std::memory_order_release);
  }

  /// Counts entries that passed this full group. 255 stands for "255 or more" and stays.
  void add_overflow(int entries) {
    const std::uint64_t high = tags[1].load(std::memory_order_relaxed);
    if (((high >> kOverflowShift) & kSticky) == kSticky) return;
    tags[1].store(high + (static_cast<std::uint64_t>(entries) << kOverflowShift),
                  std::memory_order_release);
  }

 private:
  static constexpr std::uint32_t kOverflowShift = 32;
  static constexpr std::uint32_t kSticky = 0xFF;
};
static_assert(sizeof(Group) == kCacheLineBytes);

/// Bits of a hash: the shard is chosen by the bits from 48, the group by 8 to 39, the tag by 0
/// to 7.
class alignas(kCacheLineBytes) Table {
 public:
  struct Position {
    Group* group = nullptr;
    std::uint32_t slot = 0;
  };

  struct Delete {
    void operator()(Table* table) const noexcept {
      const std::size_t bytes = table->memory_bytes();
      std::destroy_at(table);
      if (bytes < kFromPages) {
        ::operator delete(table, std::align_val_t{kCacheLineBytes});
      } else {
        free_pages(table, bytes);
      }
    }
  };
  using Ptr = std::unique_ptr<Table, Delete>;

  /// Throws std::bad_alloc.
  static Ptr make(std::size_t groups) {
    const std::size_t bytes = bytes_for(groups);
    void* memory = bytes < kFromPages ? ::operator new(bytes, std::align_val_t{kCacheLineBytes})
                                      : allocate_pages(bytes);
    return Ptr(new (memory) Table(groups));
  }

  Table(const Table&) = delete;
  Table& operator=(const Table&) = delete;

  /// Calls `accept(group, slot)` for each slot that may hold an entry with this hash, or be free,
  /// until it returns true; then returns true.
  template <class Accept>
  [[gnu::always_inline]] bool find(std::uint64_t hash, Accept&& accept) const {
    std::size_t index = home(hash);
    for (std::size_t probes = 0; probes < count_; ++probes) {
      Group& group = this->group(index);
      for (std::uint32_t hits = group.match(tag_of(hash)); hits != 0; hits &= hits - 1) {
        if (accept(group, static_cast<std::uint32_t>(std::countr_zero(hits)))) return true;
      }
      if (group.overflow() == 0) [[likely]] {
        return false;
      }
      index = after(index);
    }
    return false;
  }

  // For the one writer.

  /// There must be room (`full` is false).
  void insert(std::uint64_t hash, Handle handle) {
    for (std::size_t index = home(hash);; index = after(index)) {
      Group& group = this->group(index);
      const std::uint32_t slot = group.free_slot();
      if (slot != Group::kSlots) {
        group.set(slot, tag_of(hash), handle);
        break;
      }
      group.add_overflow(1);
    }
    ++entries_;
  }

  void erase(std::uint64_t hash, Position position) {
    position.group->set(position.slot, 0, kNullHandle);
    for (std::size_t index = home(hash); &group(index) != position.group; index = after(index)) {
      group(index).add_overflow(-1);
    }
    --entries_;
  }

  [[nodiscard]] std::size_t entries() const { return entries_; }
  [[nodiscard]] std::size_t groups() const { return count_; }
  [[nodiscard]] bool full() const { return entries_ >= capacity(count_); }
  [[nodiscard]] Group& group(std::size_t index) const {
    return reinterpret_cast<Group*>(const_cast<Table*>(this) + 1)[index];
  }
  [[nodiscard]] std::size_t memory_bytes() const { return bytes_for(count_); }

  /// Entries that fit in `groups` groups: four of five slots, so that few groups overflow.
  static constexpr std::size_t capacity(std::size_t groups) {
    return groups * Group::kSlots * 4 / 5;
  }
  static constexpr std::size_t groups_for(std::size_t entries) {
    return entries * 5 / (std::size_t{Group::kSlots} * 4) + 1;
  }

  static std::uint8_t tag_of(std::uint64_t hash) { return static_cast<std::uint8_t>(hash); }

  /// Where the search for this hash begins.
  [[nodiscard, gnu::always_inline]] Group& home_group(std::uint64_t hash) const {
    return group(home(hash));
  }

 private:
  static constexpr std::size_t kFromPages = 8 * kPageBytes;

  explicit Table(std::size_t groups) : count_(groups) {
    std::uninitialized_value_construct_n(&group(0), groups);
  }

  static constexpr std::size_t bytes_for(std::size_t groups) {
    const std::size_t bytes = (groups + 1) * sizeof(Group);
    return bytes < kFromPages ? bytes : round_up(bytes, kPageBytes);
  }

  [[nodiscard]] std::size_t home(std::uint64_t hash) const {
    return static_cast<std::size_t>(((hash >> 8) & 0xFFFFFFFFU) * count_ >> 32);
  }
  [[nodiscard]] std::size_t after(std::size_t index) const {
    return index + 1 == count_ ? 0 : index + 1;
  }

  const std::size_t count_;
  std::size_t entries_ = 0;
  // The groups follow, so that finding one takes no pointer.
};
static_assert(sizeof(Table) == sizeof(Group));

}  // namespace llm_edge_cache::engine
