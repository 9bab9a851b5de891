// Counters for hot paths: an addition costs a plain load and store of the thread's own line, a read
// sums over the threads.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "observability/thread_slot.hpp"

namespace llm_edge_cache::observability {

// One word per counter and thread slot. Thread-safe. A read sees every addition that happened
// before it; the sums of two counters are not of the same instant.
template <std::size_t kCounters>
class SlottedCounters {
 public:
  void add(std::size_t counter, std::uint64_t n) {
    const auto slot = thread_slot();
    auto& word = slots_[slot].words[counter];
    if (slot == kSharedSlot) {
      word.fetch_add(n, std::memory_order_relaxed);
    } else {
      word.store(word.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
    }
  }

  [[nodiscard]] std::uint64_t read(std::size_t counter) const {
    std::uint64_t sum = 0;
    for (std::size_t slot = 0; slot < kThreadSlots; ++slot) {
      sum += slots_[slot].words[counter].load(std::memory_order_relaxed);
    }
    return sum;
  }

 private:
  struct alignas(64) Slot {
    std::array<std::atomic<std::uint64_t>, kCounters> words{};
  };
  std::unique_ptr<Slot[]> slots_ = std::make_unique<Slot[]>(kThreadSlots);
};

// The same, named by an enum whose last member is kCount.
template <class Id>
class CounterSet {
 public:
  void add(Id id, std::uint64_t n = 1) { counters_.add(static_cast<std::size_t>(id), n); }
  [[nodiscard]] std::uint64_t read(Id id) const {
    return counters_.read(static_cast<std::size_t>(id));
  }

 private:
  SlottedCounters<static_cast<std::size_t>(Id::kCount)> counters_;
};

}  // namespace llm_edge_cache::observability
