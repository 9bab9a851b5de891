// The index: which key is stored where, sharded by hash. The only place that adds and removes.
//
// Lock order: flights, maintenance, shard, slab. None is held while user code other than the key's
// hash, equality and move, the value's move, or the weigher runs.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <utility>
#include <vector>

#include "llm_edge_cache/engine/hazards.hpp"
#include "llm_edge_cache/engine/node_slab.hpp"
#include "llm_edge_cache/engine/shard.hpp"

namespace llm_edge_cache::engine {

/// Thread-safe. `Equal` compares keys.
template <class Key, class Value, class Equal, class Sync>
class Index {
 public:
  using Slab = NodeSlab<Key, Value, Sync>;
  using Read = ReadPart<Key, Value>;

  struct Layout {
    std::size_t shards;                ///< A power of two, at most 65,536.
    std::uint32_t queue_limit;         ///< Write events of a shard that may wait, at most
                                       ///< WriteQueue::kMaxEvents.
    std::uint64_t queue_weight_limit;  ///< What arrived with them, but for the last, weighs less.
  };

  /// What a put adds besides key and value.
  struct Birth {
    std::int64_t now_ns;
    std::int64_t expires_ns;
    std::uint32_t born;
    std::uint32_t weight;
    bool yields = false;  ///< To an entry that is there and has not expired.
  };

  enum class Stored : std::uint8_t { kQueueFull, kYielded, kStored };
  enum class Erased : std::uint8_t { kQueueFull, kAbsent, kErased };

  struct Change {
    Table::Ptr old_table;  ///< To be retired.
    bool queue_half_full = false;
  };

  Index(Slab& slab, std::uint32_t cache_id, const Layout& layout)
      : slab_(&slab),
        first_name_(hazard_name(cache_id, 0)),
        shard_mask_(layout.shards - 1),
        layout_(layout),
        tables_(new std::atomic<Table*>[layout.shards]),
        shards_(new Shard<Sync>[layout.shards]) {
    for (std::size_t i = 0; i < layout.shards; ++i) shards_[i].set_up(tables_[i]);
  }

  /// No other call may be running.
  ~Index() {
    for (std::size_t i = 0; i < layout_.shards; ++i) {
      for_each_handle(shards_[i], [this](Handle handle) { slab_->read_part(handle).destroy(); });
    }
  }

  [[nodiscard]] std::size_t shard_count() const { return layout_.shards; }
  [[nodiscard]] std::uint32_t queue_limit() const { return layout_.queue_limit; }
  [[nodiscard]] std::size_t shard_index(std::uint64_t hash) const {
    return (hash >> 48) & shard_mask_;
  }

  /// Looks for an entry with this hash for which `accept(handle)` is true, and leaves it
  /// announced in `pin`: it is not freed until `pin` is set to 0. Returns kNullHandle, with `pin`
  /// 0, if there is none. No lock; writes only the caller's own announcements. Starts again when a
  /// writer changes the entry at the same moment.
  template <class Accept>
  Handle find(std::uint64_t hash, HazardRecord& own, Hazard& pin, Accept&& accept) const {
    return detail::kKernelFencesReaders ? search<KernelFence>(hash, own, pin, accept)
                                        : search<OwnFence>(hash, own, pin, accept);
  }

  /// As `find`, but gives up, with `pin` undefined, unless the entry is where nine of ten are: in
  /// its home group, at the first tag that matches. Only where the kernel fences readers.
  template <class Accept>
  [[gnu::always_inline]] Handle find_at_home(std::uint64_t hash, HazardRecord& own, Hazard& pin,
                                             Accept&& accept) const {
    const std::atomic<Table*>& current = tables_[shard_index(hash)];
    const Table* table = current.load(std::memory_order_acquire);
    announce<KernelFence>(own.table, hazard_name(table));
    if (current.load(std::memory_order_acquire) != table) return kNullHandle;
    const Group& group = table->home_group(hash);
    const std::uint32_t hits = group.match(Table::tag_of(hash));
    if (hits == 0) return kNullHandle;
    const auto& place = group.handles[static_cast<std::uint32_t>(std::countr_zero(hits))];
    const Handle handle = place.load(std::memory_order_acquire);
    announce<KernelFence>(pin, first_name_ | handle);
    if (place.load(std::memory_order_acquire) != handle ||
        current.load(std::memory_order_acquire) != table || handle == kNullHandle ||
        !accept(handle)) {
      return kNullHandle;
    }
    own.table.store(0, std::memory_order_release);
    return handle;
  }

  /// Stores an entry, in the place of the key's old one if there is one, whose cause of departure
  /// is then kReplaced, or kExpired if it was. `key` and `value` are moved from unless the queue is
  /// full. Throws std::bad_alloc or std::length_error; then nothing changed.
  Stored store(std::uint64_t hash, Key& key, Value& value, const Birth& birth, std::int64_t tti_ns,
               Change& change) {
    Shard<Sync>& shard = shards_[shard_index(hash)];
    Sync::yield_point();
    const std::lock_guard lock(shard.mutex);
    if (queue_is_full_to(1, shard)) return Stored::kQueueFull;
    const Table::Position old = find_key(shard, hash, key);
    const Handle departed = old.group == nullptr ? kNullHandle : handle_at(old);
    const bool live =
        departed != kNullHandle && slab_->read_part(departed).deadline_ns(tti_ns) > birth.now_ns;
    if (live && birth.yields) return Stored::kYielded;
    // The node first: it may throw, and nobody must free a table that was read a moment ago.
    const Handle fresh = spare_node(shard);
    if (departed == kNullHandle) reserve(shard, fresh, change);
    construct(fresh, hash, std::move(key), std::move(value), birth);
    Sync::yield_point();
    if (departed == kNullHandle) {
      shard.owned_table()->insert(hash, fresh);
      account(shard, 1, birth.weight);
    } else {
      slab_->write_part(departed).cause = live ? RemovalCause::kReplaced : RemovalCause::kExpired;
      old.group->handles[old.slot].store(fresh, std::memory_order_release);
      account(shard, 0, std::int64_t{birth.weight} - slab_->weight(departed));
    }
    push(shard, {.departed = departed, .arrived = fresh}, change);
    return Stored::kStored;
  }

  /// Removes the entry with this hash for which `same(handle)` is true. `cause(handle)` tells why.
  template <class Same, class Cause>
  Erased erase(std::uint64_t hash, Same&& same, Cause&& cause, Change& change) {
    Shard<Sync>& shard = shards_[shard_index(hash)];
    Sync::yield_point();
    const std::lock_guard lock(shard.mutex);
    if (queue_is_full_to(1, shard)) return Erased::kQueueFull;
    const Table::Position found = shard.find(hash, same);
    if (found.group == nullptr) return Erased::kAbsent;
    const Handle handle = handle_at(found);
    take_out(shard, hash, found, cause(handle));
    push(shard, {.departed = handle, .arrived = kNullHandle}, change);
    return Erased::kErased;
  }

  /// For maintenance: removes `handle` without an event. False if a writer was faster; its event is
  /// still to come.
  bool detach(Handle handle, RemovalCause cause) {
    const std::uint64_t hash = slab_->hash(handle);
    Shard<Sync>& shard = shards_[shard_index(hash)];
    Sync::yield_point();
    const std::lock_guard lock(shard.mutex);
    const Table::Position found = shard.find(hash, [&](Handle at) { return at == handle; });
    if (found.group == nullptr) return false;
    take_out(shard, hash, found, cause);
    return true;
  }

  using Events = std::array<WriteEvent, WriteQueue::kMaxEvents>;

  std::uint32_t take_events(std::size_t shard_index, Events& events) {
    Shard<Sync>& shard = shards_[shard_index];
    const std::lock_guard lock(shard.mutex);
    shard.queued_weight = 0;
    return shard.queue.take_all(events);
  }

  /// The hashes of a shard's entries at this moment.
  [[nodiscard]] std::vector<std::uint64_t> hashes(std::size_t shard_index) const {
    const Shard<Sync>& shard = shards_[shard_index];
    std::vector<std::uint64_t> all;
    const std::lock_guard lock(shard.mutex);
    all.reserve(shard.entries.load(std::memory_order_relaxed));
    for_each_handle(shard, [&](Handle handle) { all.push_back(slab_->hash(handle)); });
    return all;
  }

  /// Gives back spare nodes and the room of tables that few entries are left in.
  template <class Retire>
  void shrink(Retire&& retire) {
    for (std::size_t i = 0; i < layout_.shards; ++i) {
      Shard<Sync>& shard = shards_[i];
      Table::Ptr old;
      {
        const std::lock_guard lock(shard.mutex);
        slab_->release({shard.spare_nodes.data(), shard.spare_count});
        shard.spare_count = 0;
        old = shard.shrink(hash_of());
      }
      retire(std::move(old));
    }
  }

  [[nodiscard]] std::uint64_t entries() const { return sum(&Shard<Sync>::entries); }
  [[nodiscard]] std::uint64_t weight() const { return sum(&Shard<Sync>::weight); }

  [[nodiscard]] std::size_t memory_bytes() const {
    std::size_t bytes = layout_.shards * (sizeof(Shard<Sync>) + sizeof(std::atomic<Table*>));
    for (std::size_t i = 0; i < layout_.shards; ++i) {
      const std::lock_guard lock(shards_[i].mutex);
      bytes += shards_[i].owned_table()->memory_bytes();
    }
    return bytes;
  }

  /// True when every entry can be found by its key and counts and weights add up. For tests: O(n).
  [[nodiscard]] bool validate() const {
    for (std::size_t i = 0; i < layout_.shards; ++i) {
      const Shard<Sync>& shard = shards_[i];
      const std::lock_guard lock(shard.mutex);
      std::uint64_t entries = 0;
      std::uint64_t weight = 0;
      bool sound = true;
      for_each_handle(shard, [&](Handle handle) {
        const std::uint64_t hash = slab_->hash(handle);
        const auto found = find_key(shard, hash, slab_->read_part(handle).key());
        sound =
            sound && shard_index(hash) == i && found.group != nullptr && handle_at(found) == handle;
        ++entries;
        weight += slab_->weight(handle);
      });
      const Table* table = shard.owned_table();
      if (!sound || entries != shard.entries.load(std::memory_order_relaxed) ||
          weight != shard.weight.load(std::memory_order_relaxed) || entries != table->entries()) {
        return false;
      }
    }
    return true;
  }

 private:
  template <class Fence>
  [[gnu::always_inline]] static void announce(Hazard& hazard, HazardName name) {
    Sync::yield_point();
    hazard.store(name, std::memory_order_release);
    Sync::yield_point();
    Fence::after_announcing();
  }

  template <class Fence, class Accept>
  Handle search(std::uint64_t hash, HazardRecord& own, Hazard& pin, Accept& accept) const {
    const std::atomic<Table*>& current = tables_[shard_index(hash)];
    Handle found = kNullHandle;
    for (bool changed = true; changed;) {
      const Table* table = current.load(std::memory_order_acquire);
      announce<Fence>(own.table, hazard_name(table));
      changed = current.load(std::memory_order_acquire) != table;
      if (changed) continue;
      table->find(hash, [&](const Group& group, std::uint32_t slot) {
        const Handle handle = group.handles[slot].load(std::memory_order_acquire);
        if (handle == kNullHandle) return false;
        announce<Fence>(pin, first_name_ | handle);
        changed = group.handles[slot].load(std::memory_order_acquire) != handle ||
                  current.load(std::memory_order_acquire) != table;
        if (changed) return true;
        if (!accept(handle)) return false;
        found = handle;
        return true;
      });
    }
    own.table.store(0, std::memory_order_release);
    if (found == kNullHandle) pin.store(0, std::memory_order_release);
    return found;
  }

  auto hash_of() const {
    return [this](Handle handle) { return slab_->hash(handle); };
  }

  static Handle handle_at(const Table::Position& at) {
    return at.group->handles[at.slot].load(std::memory_order_relaxed);
  }

  Table::Position find_key(const Shard<Sync>& shard, std::uint64_t hash, const Key& key) const {
    return shard.find(hash, [&](Handle at) { return Equal{}(slab_->read_part(at).key(), key); });
  }

  // Where it throws, the node is a spare one again.
  void reserve(Shard<Sync>& shard, Handle fresh, Change& change) {
    try {
      change.old_table = shard.reserve(hash_of());
    } catch (...) {
      shard.spare_nodes[shard.spare_count++] = fresh;
      throw;
    }
  }

  Handle spare_node(Shard<Sync>& shard) {
    if (shard.spare_count == 0) {
      const std::size_t batch = std::min<std::size_t>(shard.spare_nodes.size(), spare_batch());
      slab_->allocate({shard.spare_nodes.data(), batch});
      shard.spare_count = static_cast<std::uint32_t>(batch);
    }
    return shard.spare_nodes[--shard.spare_count];
  }
  [[nodiscard]] std::size_t spare_batch() const { return layout_.shards > 1 ? 16 : 1; }

  void construct(Handle handle, std::uint64_t hash, Key&& key, Value&& value, const Birth& birth) {
    slab_->read_part(handle).construct(std::move(key), std::move(value), birth.now_ns,
                                       birth.expires_ns);
    WritePart& part = slab_->write_part(handle);
    part.hash = hash;
    part.policy = PolicyLinks{};
    part.wheel = WheelLinks{};
    part.weight = birth.weight;
    part.born = birth.born;
  }

  void take_out(Shard<Sync>& shard, std::uint64_t hash, Table::Position at, RemovalCause cause) {
    const Handle handle = handle_at(at);
    slab_->write_part(handle).cause = cause;
    Sync::yield_point();
    shard.owned_table()->erase(hash, at);
    account(shard, -1, -std::int64_t{slab_->weight(handle)});
  }

  /// To one `part`-th, by events or by weight.
  [[nodiscard]] bool queue_is_full_to(std::uint32_t part, const Shard<Sync>& shard) const {
    return shard.queue.size() >= (layout_.queue_limit + part - 1) / part ||
           shard.queued_weight >= layout_.queue_weight_limit / part;
  }

  void push(Shard<Sync>& shard, WriteEvent event, Change& change) {
    shard.queue.push(event);
    if (event.arrived != kNullHandle) shard.queued_weight += slab_->weight(event.arrived);
    change.queue_half_full = queue_is_full_to(2, shard);
  }

  static void account(Shard<Sync>& shard, std::int64_t entries, std::int64_t weight) {
    const auto add = [](std::atomic<std::uint64_t>& sum, std::int64_t change) {
      sum.store(sum.load(std::memory_order_relaxed) + static_cast<std::uint64_t>(change),
                std::memory_order_relaxed);
    };
    add(shard.entries, entries);
    add(shard.weight, weight);
  }

  template <class Visit>
  static void for_each_handle(const Shard<Sync>& shard, Visit&& visit) {
    const Table* table = shard.owned_table();
    for (std::size_t i = 0; i < table->groups(); ++i) {
      for (const auto& slot : table->group(i).handles) {
        const Handle handle = slot.load(std::memory_order_relaxed);
        if (handle != kNullHandle) visit(handle);
      }
    }
  }

  std::uint64_t sum(std::atomic<std::uint64_t> Shard<Sync>::* counter) const {
    std::uint64_t total = 0;
    for (std::size_t i = 0; i < layout_.shards; ++i) {
      total += (shards_[i].*counter).load(std::memory_order_relaxed);
    }
    return total;
  }

  Slab* slab_;
  HazardName first_name_;
  std::size_t shard_mask_;
  Layout layout_;
  /// Beside each other, because readers look at nothing else of a shard.
  std::unique_ptr<std::atomic<Table*>[]> tables_;
  std::unique_ptr<Shard<Sync>[]> shards_;
};

}  // namespace llm_edge_cache::engine
