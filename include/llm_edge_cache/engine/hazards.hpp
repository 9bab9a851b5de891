// Which nodes and tables readers are looking at right now, so that writers do not free them.
//
// Hazard pointers (Michael, "Hazard pointers: safe memory reclamation for lock-free objects", IEEE
// TPDS 2004). A reader announces what it is about to read, then checks that it can still be found;
// whoever frees looks at all announcements after the thing can no longer be found. The two full
// fences that this needs are paid by the side that frees, with membarrier(2), where the kernel has
// it; elsewhere each side pays its own.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#ifdef __linux__
#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

#include "llm_edge_cache/engine/platform.hpp"

namespace llm_edge_cache::engine {

/// Names something that may be freed. 0 names nothing.
using HazardName = std::uint64_t;

/// The name of a table: its address, whose highest bit is never set in user space.
inline HazardName hazard_name(const void* address) {
  return reinterpret_cast<std::uintptr_t>(address);
}

/// The name of a node: it is called by its index, which stays valid when its memory is replaced.
inline HazardName hazard_name(std::uint32_t cache_id, std::uint32_t handle) {
  return std::uint64_t{1} << 63 | static_cast<std::uint64_t>(cache_id & 0x7FFFFFFF) << 32 | handle;
}

using Hazard = std::atomic<HazardName>;

/// The announcements of one thread. Owned by the registry, lent to a thread until it ends.
struct alignas(kCacheLineBytes) HazardRecord {
  /// One line, written by its thread alone. The first two are for calls that do not outlive the
  /// engine's own code; the others hold what the caller was given.
  Hazard table{0};
  Hazard node{0};
  std::array<Hazard, 5> pinned{};
  std::uint32_t index = 0;  ///< Dense: 0 .. most threads at one time. Never changes.

  alignas(kCacheLineBytes) std::atomic<bool> lent{true};
  HazardRecord* next = nullptr;  ///< In the registry; never changes.
  HazardRecord* more = nullptr;  ///< Further records of the same thread, for many pins.
};

/// All records of the process. They are never freed, so there are as many as there were threads (or
/// five pins) at one time.
class HazardRegistry {
 public:
  static HazardRecord& borrow() {
    for (HazardRecord* at = head().load(std::memory_order_acquire); at; at = at->next) {
      bool lent = false;
      if (!at->lent.load(std::memory_order_relaxed) &&
          at->lent.compare_exchange_strong(lent, true, std::memory_order_acquire)) {
        return *at;
      }
    }
    return append();
  }

  static void give_back(HazardRecord& record) {
    HazardRecord* at = &record;
    while (at) {
      HazardRecord* more = std::exchange(at->more, nullptr);
      at->lent.store(false, std::memory_order_release);
      at = more;
    }
  }

  /// Every name announced, sorted. Call after `fence_before_scan`.
  static void collect(std::vector<HazardName>& names) {
    names.clear();
    for (HazardRecord* at = head().load(std::memory_order_acquire); at; at = at->next) {
      add(names, at->table);
      add(names, at->node);
      for (const Hazard& hazard : at->pinned) add(names, hazard);
    }
    std::sort(names.begin(), names.end());
  }

 private:
  static std::atomic<HazardRecord*>& head() {
    static constinit std::atomic<HazardRecord*> first{nullptr};
    return first;
  }

  static HazardRecord& append() {
    static constinit std::atomic<std::uint32_t> count{0};
    auto* record = new HazardRecord;
    record->index = count.fetch_add(1, std::memory_order_relaxed);
    record->next = head().load(std::memory_order_relaxed);
    while (!head().compare_exchange_weak(record->next, record, std::memory_order_release,
                                         std::memory_order_relaxed)) {
    }
    return *record;
  }

  static void add(std::vector<HazardName>& names, const Hazard& hazard) {
    const HazardName name = hazard.load(std::memory_order_acquire);
    if (name != 0) names.push_back(name);
  }
};

namespace detail {

inline constinit thread_local HazardRecord* this_threads_record = nullptr;

/// Gives the thread's record back when the thread ends. A thread that uses a cache even later, from
/// another thread_local's destructor, keeps a record for good.
struct HazardRecordLoan {
  HazardRecordLoan() : record(&HazardRegistry::borrow()) { this_threads_record = record; }
  ~HazardRecordLoan() {
    this_threads_record = nullptr;
    HazardRegistry::give_back(*record);
  }
  HazardRecordLoan(const HazardRecordLoan&) = delete;
  HazardRecordLoan& operator=(const HazardRecordLoan&) = delete;

  HazardRecord* record;
};

[[gnu::noinline]] inline HazardRecord& borrow_record() {
  thread_local HazardRecordLoan loan;
  if (this_threads_record == nullptr) this_threads_record = &HazardRegistry::borrow();
  return *this_threads_record;
}

/// Whether the kernel fences every running thread of the process on request.
inline bool register_membarrier() {
#ifdef __linux__
  return ::syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) == 0;
#else
  return false;
#endif
}

inline const bool kKernelFencesReaders = register_membarrier();

}  // namespace detail

/// The calling thread's announcements.
inline HazardRecord& this_threads_hazards() {
  HazardRecord* record = detail::this_threads_record;
  return record ? *record : detail::borrow_record();
}

/// A free place to pin something with. The thread may hold any number of them; another thread may
/// end the pin by storing 0 with release.
inline Hazard& free_pin(HazardRecord& first) {
  for (HazardRecord* record = &first;; record = record->more) {
    for (Hazard& hazard : record->pinned) {
      if (hazard.load(std::memory_order_acquire) == 0) return hazard;
    }
    if (record->more == nullptr) record->more = &HazardRegistry::borrow();
  }
}

/// What stands between announcing a name and checking that it can still be found: nothing for the
/// processor where the kernel fences readers, which is to be asked once a search.
struct KernelFence {
  static void after_announcing() { std::atomic_signal_fence(std::memory_order_seq_cst); }
};
struct OwnFence {
  static void after_announcing() { std::atomic_thread_fence(std::memory_order_seq_cst); }
};

/// Between making something impossible to find and looking for announcements of it.
inline void fence_before_scan() {
  std::atomic_thread_fence(std::memory_order_seq_cst);
#ifdef __linux__
  if (detail::kKernelFencesReaders) {
    ::syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0);
  }
#endif
}

}  // namespace llm_edge_cache::engine
