// A shard of the index: a table that readers search without a lock, and, under the shard's lock,
// what writers need: a queue of what changed, for maintenance, and a few nodes to fill.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>

#include "llm_edge_cache/engine/platform.hpp"
#include "llm_edge_cache/engine/policy/node_links.hpp"
#include "llm_edge_cache/engine/sync.hpp"
#include "llm_edge_cache/engine/table.hpp"

namespace llm_edge_cache::engine {

/// `departed` can no longer be found and `arrived` can; either may be kNullHandle.
struct WriteEvent {
  Handle departed = kNullHandle;
  Handle arrived = kNullHandle;
};

/// A bounded first-in-first-out queue. Not thread-safe.
class WriteQueue {
 public:
  static constexpr std::uint32_t kMaxEvents = 64;

  [[nodiscard]] std::uint32_t size() const { return tail_ - head_; }
  void push(WriteEvent event) { events_[tail_++ % kMaxEvents] = event; }

  /// Moves everything to `events`, which has kMaxEvents places; returns how many.
  std::uint32_t take_all(std::array<WriteEvent, kMaxEvents>& events) {
    std::uint32_t count = 0;
    for (; head_ != tail_; ++head_) events[count++] = events_[head_ % kMaxEvents];
    return count;
  }

 private:
  std::array<WriteEvent, kMaxEvents> events_;
  std::uint32_t head_ = 0;
  std::uint32_t tail_ = 0;
};

/// The lock is `mutex`; it guards everything but the loads of the table and of `entries`. Readers
/// never look at these lines.
template <class Sync>
struct alignas(kCacheLineBytes) Shard {
  mutable typename Sync::Mutex mutex;
  std::atomic<std::uint64_t> entries{0};
  std::atomic<std::uint64_t> weight{0};
  WriteQueue queue;
  std::uint64_t queued_weight = 0;  ///< Of what arrived and waits in `queue`.
  std::array<Handle, 16> spare_nodes;
  std::uint32_t spare_count = 0;

  Shard() = default;
  ~Shard() { Table::Ptr(owned_table()).reset(); }

  /// Before any other call: makes an empty table, which readers will find at `place`. Throws
  /// std::bad_alloc.
  void set_up(std::atomic<Table*>& place) {
    place.store(Table::make(1).release(), std::memory_order_relaxed);
    table_ = &place;
  }

  [[nodiscard]] Table* owned_table() const {
    return table_ == nullptr ? nullptr : table_->load(std::memory_order_relaxed);
  }

  Shard(const Shard&) = delete;
  Shard& operator=(const Shard&) = delete;

  /// The place of the entry for which `same(handle)` is true; no group if there is none.
  template <class Same>
  [[nodiscard]] Table::Position find(std::uint64_t hash, Same&& same) const {
    Table::Position found;
    owned_table()->find(hash, [&](Group& group, std::uint32_t slot) {
      const Handle handle = group.handles[slot].load(std::memory_order_relaxed);
      if (handle == kNullHandle || !same(handle)) return false;
      found = {&group, slot};
      return true;
    });
    return found;
  }

  /// Makes room for one more entry. `hash_of(handle)` rehashes. Returns the table that readers may
  /// still be in, or null.
  template <class HashOf>
  Table::Ptr reserve(HashOf&& hash_of) {
    const Table* own = owned_table();
    if (!own->full()) return nullptr;
    return rebuild(own->groups() + own->groups() / 2 + 1, hash_of);
  }

  /// Gives back what few entries do not need. Returns as `reserve`.
  template <class HashOf>
  Table::Ptr shrink(HashOf&& hash_of) {
    const Table* own = owned_table();
    const std::size_t wanted = Table::groups_for(own->entries() + own->entries() / 4);
    if (wanted * 4 > own->groups()) return nullptr;
    return rebuild(wanted, hash_of);
  }

 private:
  template <class HashOf>
  Table::Ptr rebuild(std::size_t groups, HashOf& hash_of) {
    auto fresh = Table::make(groups);
    Table* old = owned_table();
    for (std::size_t i = 0; i < old->groups(); ++i) {
      for (auto& slot : old->group(i).handles) {
        const Handle handle = slot.load(std::memory_order_relaxed);
        if (handle != kNullHandle) fresh->insert(hash_of(handle), handle);
      }
    }
    Sync::yield_point();
    return Table::Ptr(table_->exchange(fresh.release(), std::memory_order_acq_rel));
  }

  std::atomic<Table*>* table_ = nullptr;
};

}  // namespace llm_edge_cache::engine
