#include "core/thread_slots.hpp"

#include <bit>

namespace llm_edge_cache {
namespace {

static_assert(kThreadSlots == 64, "one bit each");
std::atomic<std::uint64_t> free_slots{~std::uint64_t{0}};

// Acquire and release make the last writes of the thread that had the slot visible to the next.
std::size_t take_slot() {
  auto free = free_slots.load(std::memory_order_relaxed);
  while (free != 0) {
    const auto slot = static_cast<std::size_t>(std::countr_zero(free));
    if (free_slots.compare_exchange_weak(free, free & (free - 1), std::memory_order_acquire,
                                         std::memory_order_relaxed)) {
      return slot;
    }
  }
  return kThreadSlots;
}

constexpr std::size_t kUnassigned = kThreadSlots + 1;
thread_local std::size_t my_slot = kUnassigned;

struct SlotReturner {
  ~SlotReturner() {
    const auto slot = my_slot;
    my_slot = kThreadSlots;  // for destructors of other thread-locals that still count
    if (slot < kThreadSlots) {
      free_slots.fetch_or(std::uint64_t{1} << slot, std::memory_order_release);
    }
  }
};

std::size_t assign_slot() {
  thread_local const SlotReturner returner;
  my_slot = take_slot();
  return my_slot;
}

}  // namespace

std::size_t this_thread_slot() {
  const auto slot = my_slot;
  return slot != kUnassigned ? slot : assign_slot();
}

}  // namespace llm_edge_cache
