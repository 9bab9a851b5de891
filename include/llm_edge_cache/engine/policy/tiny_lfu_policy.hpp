// W-TinyLFU with an adaptive window.
//
// New entries pass through an LRU window; what leaves it becomes a candidate for the main space, a
// segmented LRU, and is admitted if a frequency sketch says that it is used more than all the victims
// that it would displace together. Sources: Einziger, Friedman, Manes, "TinyLFU: a highly efficient
// cache admission policy" (ACM TOS 2017); Einziger, Eytan, Friedman, Manes, "Adaptive software cache
// management" (Middleware 2018) and "Lightweight robust size aware cache management" (ACM TOS 2022).
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "llm_edge_cache/engine/policy/frequency_sketch.hpp"
#include "llm_edge_cache/engine/policy/intrusive_list.hpp"
#include "llm_edge_cache/engine/policy/node_links.hpp"

namespace llm_edge_cache::engine {

/// Not thread-safe. `nodes` must outlive the policy. Every operation is O(1) amortised.
template <PolicyNodes Nodes>
class TinyLfuPolicy {
 public:
  TinyLfuPolicy(Nodes& nodes, const PolicyOptions& options)
      : nodes_(&nodes), bounds_(options.bounds), sketch_(options.seed), random_(options.seed) {
    apply_shares();
  }

  /// A node that was just stored. Call `evict` before the lock is given up.
  void on_insert(Handle handle) {
    sketch_.reserve(std::min(count() + 1, bounds_.max_entries));
    sketch_.increment(nodes_->hash(handle));
    // What no window can hold is judged first, so that it does not sweep the window.
    if (nodes_->weight(handle) > window_limit_.max_weight_bytes) {
      window_.push_back(*nodes_, handle);
    } else {
      window_.push_front(*nodes_, handle);
    }
  }

  /// A node that was read or replaced.
  void on_hit(Handle handle) {
    sketch_.increment(nodes_->hash(handle));
    switch (nodes_->links(handle).segment) {
      case Segment::kWindow:
        return window_.move_to_front(*nodes_, handle);
      case Segment::kProbation:
        return promote(handle);
      case Segment::kProtected:
        return protected_.move_to_front(*nodes_, handle);
      case Segment::kNone:
        return;
    }
  }

  /// The node's weight is no longer `old_weight_bytes`. Call `evict` before the lock is given up.
  void on_weight_change(Handle handle, std::uint32_t old_weight_bytes) {
    List& list = list_of(handle);
    list.reweigh(old_weight_bytes, nodes_->weight(handle));
    if (nodes_->weight(handle) <= bounds_.max_weight_bytes) return;
    list.remove(*nodes_, handle);
    window_.push_back(*nodes_, handle);
  }

  /// A node that left for another reason than `evict` (expired, removed, replaced).
  void on_remove(Handle handle) { list_of(handle).remove(*nodes_, handle); }

  /// Unlinks entries until both bounds hold and hands each to `evict(handle, refused_admission)`,
  /// which may free the node but must not call back into the policy.
  template <class Evict>
  void evict(Evict&& evict) {
    demote_protected();
    while (over_window() && window_.count() > 0) judge(window_.back(), evict);
    while (over_bounds()) drop(main_victim(), false, evict);
  }

  void resize(const PolicyBounds& bounds) {
    bounds_ = bounds;
    apply_shares();
  }

  [[nodiscard]] PolicyStatistics statistics() const { return statistics_; }
  [[nodiscard]] std::uint64_t count() const {
    return window_.count() + probation_.count() + protected_.count();
  }
  [[nodiscard]] std::uint64_t weight() const {
    return window_.weight() + probation_.weight() + protected_.weight();
  }
  [[nodiscard]] std::size_t memory_bytes() const { return sizeof(*this) + sketch_.memory_bytes(); }
