// Counters that cost a nanosecond: every thread writes its own cache lines, a scrape adds them up.
//
// The first kThreadSlots threads alive hold a slot each and write it with plain loads and stores;
// all others share one more, with atomic additions. A thread that ends gives its slot back, values
// included, so that sums never fall.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace llm_edge_cache {

inline constexpr std::size_t kThreadSlots = 64;

// The slot of the calling thread; kThreadSlots where none was free.
[[nodiscard]] std::size_t this_thread_slot();

// One monotonic count inside a slot.
class SlotCounter {
 public:
  void add(std::uint64_t count, bool shared) {
    if (shared) {
      value_.fetch_add(count, std::memory_order_relaxed);
    } else {
      value_.store(value_.load(std::memory_order_relaxed) + count, std::memory_order_relaxed);
    }
  }
  [[nodiscard]] std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

// Counters is a struct of SlotCounters.
template <class Counters>
class ThreadSlots {
 public:
  // Calls write(counters, shared) with the slot of the calling thread.
  template <class Write>
  void write(Write&& write) {
    const auto slot = this_thread_slot();
    write(slots_[slot].counters, slot == kThreadSlots);
  }

  template <class Read>
  void for_each(Read&& read) const {
    for (const auto& slot : slots_) read(slot.counters);
  }

 private:
  struct alignas(128) Slot {  // two lines: adjacent ones are fetched in pairs
    Counters counters;
  };
  std::array<Slot, kThreadSlots + 1> slots_{};
};

}  // namespace llm_edge_cache
