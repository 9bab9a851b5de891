#include "observability/thread_slot.hpp"

#include <atomic>
#include <bit>
#include <cstdint>

namespace llm_edge_cache::observability::detail {

namespace {

static_assert(kThreadSlots == 64, "one bit of a word per slot");

// A set bit is a free slot; the shared one is never free.
constinit std::atomic<std::uint64_t> free_slots{~std::uint64_t{1}};

std::size_t take_slot() {
  auto free = free_slots.load(std::memory_order_relaxed);
  while (free != 0) {
    const auto lowest = free & (~free + 1);
    if (free_slots.compare_exchange_weak(free, free & ~lowest, std::memory_order_acquire,
                                         std::memory_order_relaxed)) {
      return static_cast<std::size_t>(std::countr_zero(lowest));
    }
  }
  return kSharedSlot;
}

struct Lease {
  Lease() { current_slot = take_slot(); }
  ~Lease() {
    const auto slot = current_slot;
    current_slot = kSharedSlot;  // for destructors of this thread that still count
    if (slot != kSharedSlot) {
      free_slots.fetch_or(std::uint64_t{1} << slot, std::memory_order_release);
    }
  }
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;
};

}  // namespace

constinit thread_local std::size_t current_slot = kNoSlot;

std::size_t lease_slot() {
  thread_local const Lease lease;
  return current_slot;
}

}  // namespace llm_edge_cache::observability::detail
