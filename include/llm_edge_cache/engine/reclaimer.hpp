// Frees what left the cache once no reader is looking at it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <utility>
#include <vector>

#include "llm_edge_cache/engine/hazards.hpp"
#include "llm_edge_cache/engine/node_slab.hpp"
#include "llm_edge_cache/engine/table.hpp"

namespace llm_edge_cache::engine {

/// Thread-safe. Keys and values are destroyed on the calling thread, under no lock.
///
/// What waits is bounded: by `max_entries` nodes, `max_weight` of them or eight tables, whichever
/// is met first, plus what readers hold (each thread one node, one table, and its pins), plus the
/// batch of each thread that is freeing. The thread that meets the bound frees, and never waits for
/// a reader.
template <class Slab, class Sync>
class Reclaimer {
 public:
  struct Bounds {
    std::size_t max_entries;
    std::uint64_t max_weight;
  };

  Reclaimer(Slab& slab, std::uint32_t cache_id, Bounds bounds)
      : slab_(&slab), cache_id_(cache_id), bounds_(bounds) {}

  /// No reader may be left.
  ~Reclaimer() {
    for (const Handle handle : waiting_.nodes) slab_->read_part(handle).destroy();
    slab_->release(waiting_.nodes);
  }

  /// Takes nodes that can no longer be found.
  void retire(std::span<const Handle> nodes) {
    {
      const std::lock_guard lock(mutex_);
      waiting_.nodes.insert(waiting_.nodes.end(), nodes.begin(), nodes.end());
      for (const Handle node : nodes) waiting_.weight += slab_->weight(node);
      if (waiting_.nodes.size() < bounds_.max_entries && waiting_.weight < bounds_.max_weight) {
        return;
      }
    }
    reclaim();
  }

  void retire(Table::Ptr table) {
    if (table == nullptr) return;
    {
      const std::lock_guard lock(mutex_);
      waiting_.tables.push_back(std::move(table));
      if (waiting_.tables.size() < kMaxTables) return;
    }
    reclaim();
  }

  /// Frees everything that no reader is looking at.
  void reclaim() {
    Waiting batch;
    {
      const std::lock_guard lock(mutex_);
      std::swap(batch, waiting_);
    }
    if (batch.nodes.empty() && batch.tables.empty()) return;
    Sync::yield_point();
    fence_before_scan();
    Names names;
    HazardRegistry::collect(names);
    Sync::yield_point();
    Waiting kept = split(batch, names);
    for (const Handle node : batch.nodes) slab_->read_part(node).destroy();
    slab_->release(batch.nodes);
    if (kept.nodes.empty() && kept.tables.empty()) return;
    const std::lock_guard lock(mutex_);
    waiting_.nodes.insert(waiting_.nodes.end(), kept.nodes.begin(), kept.nodes.end());
    waiting_.weight += kept.weight;
    for (auto& table : kept.tables) waiting_.tables.push_back(std::move(table));
  }

  struct Deferred {
    std::size_t entries;
    std::uint64_t weight;
    std::size_t memory_bytes;  ///< Tables; nodes are counted by the slab.
  };
  [[nodiscard]] Deferred deferred() const {
    const std::lock_guard lock(mutex_);
    std::size_t bytes = waiting_.nodes.capacity() * sizeof(Handle);
    for (const auto& table : waiting_.tables) bytes += table->memory_bytes();
    return {waiting_.nodes.size(), waiting_.weight, bytes};
  }

 private:
  static constexpr std::size_t kMaxTables = 8;

  using Names = std::vector<HazardName>;
  struct Waiting {
    std::vector<Handle> nodes;
    std::vector<Table::Ptr> tables;
    std::uint64_t weight = 0;
  };

  /// Takes out of `batch` what is named.
  Waiting split(Waiting& batch, const Names& names) const {
    const auto named = [&names](HazardName name) {
      return std::binary_search(names.begin(), names.end(), name);
    };
    Waiting kept;
    std::erase_if(batch.nodes, [&](Handle node) {
      if (!named(hazard_name(cache_id_, node))) return false;
      kept.nodes.push_back(node);
      kept.weight += slab_->weight(node);
      return true;
    });
    std::erase_if(batch.tables, [&](Table::Ptr& table) {
      if (!named(hazard_name(table.get()))) return false;
      kept.tables.push_back(std::move(table));
      return true;
    });
    return kept;
  }

  Slab* slab_;
  std::uint32_t cache_id_;
  Bounds bounds_;
  mutable typename Sync::Mutex mutex_;  ///< Guards `waiting_`.
  Waiting waiting_;
};

}  // namespace llm_edge_cache::engine
