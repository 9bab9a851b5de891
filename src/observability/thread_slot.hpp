// A small number for every thread, so that hot-path counters can be written without a shared line.
#pragma once

#include <cstddef>

namespace llm_edge_cache::observability {

// Slot 0 is shared by all threads that came when the others were taken; every other slot belongs
// to one living thread at a time.
inline constexpr std::size_t kThreadSlots = 64;
inline constexpr std::size_t kSharedSlot = 0;

namespace detail {
inline constexpr std::size_t kNoSlot = kThreadSlots;
extern constinit thread_local std::size_t current_slot;
std::size_t lease_slot();
}  // namespace detail

// The calling thread's slot, the same until the thread ends. What a thread wrote to its slot
// happens before what the slot's next owner writes.
inline std::size_t thread_slot() {
  const auto slot = detail::current_slot;
  return slot != detail::kNoSlot ? slot : detail::lease_slot();
}

}  // namespace llm_edge_cache::observability
