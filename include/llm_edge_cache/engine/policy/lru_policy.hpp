// Least recently used, with the same operations as TinyLfuPolicy: the engine's second policy and
// the yardstick of its tests.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "llm_edge_cache/engine/policy/intrusive_list.hpp"
#include "llm_edge_cache/engine/policy/node_links.hpp"

namespace llm_edge_cache::engine {

/// Not thread-safe. `nodes` must outlive the policy. All operations are O(1), evict amortised.
template <PolicyNodes Nodes>
class LruPolicy {
 public:
  LruPolicy(Nodes& nodes, const PolicyOptions& options) : nodes_(&nodes), bounds_(options.bounds) {}

  void on_insert(Handle handle) {
    if (nodes_->weight(handle) > bounds_.max_weight_bytes) {
      list_.push_back(*nodes_, handle);
    } else {
      list_.push_front(*nodes_, handle);
    }
  }
  void on_hit(Handle handle) {
    if (nodes_->weight(handle) <= bounds_.max_weight_bytes) list_.move_to_front(*nodes_, handle);
  }

  /// Whether the order does not matter for long; never, for who knows nothing else.
  [[nodiscard]] static bool is_filling() { return false; }

  /// `fresh` takes the place of `old`, which has the same hash and is forgotten.
  void on_replace(Handle old, Handle fresh) {
    list_.replace(*nodes_, old, fresh);
    on_weight_change(fresh, nodes_->weight(old));
  }
  void on_remove(Handle handle) { list_.remove(*nodes_, handle); }

  void on_weight_change(Handle handle, std::uint32_t old_weight) {
    list_.reweigh(old_weight, nodes_->weight(handle));
    if (nodes_->weight(handle) <= bounds_.max_weight_bytes) return;
    list_.remove(*nodes_, handle);
    list_.push_back(*nodes_, handle);
  }

  /// Unlinks entries, coldest first, and hands each to `evict(handle, refused_admission)`, until
  /// both bounds hold. An entry heavier than the whole bound goes first, so that it displaces
  /// nothing.
  template <class Evict>
  void evict(Evict&& evict) {
    while (list_.count() > bounds_.max_entries || list_.weight() > bounds_.max_weight_bytes) {
      const Handle victim = list_.back();
      list_.remove(*nodes_, victim);
      evict(victim, false);
    }
  }

  void resize(const PolicyBounds& bounds) { bounds_ = bounds; }

  [[nodiscard]] PolicyStatistics statistics() const { return {.window_fraction = 1}; }
  [[nodiscard]] std::uint64_t count() const { return list_.count(); }
  [[nodiscard]] std::uint64_t weight() const { return list_.weight(); }
  [[nodiscard]] std::size_t memory_bytes() const { return sizeof(*this); }
  [[nodiscard]] bool validate() const {
    return list_.validate(*nodes_) && list_.count() <= bounds_.max_entries &&
           list_.weight() <= bounds_.max_weight_bytes;
  }

  [[nodiscard]] std::vector<Handle> hottest(std::size_t n) const {
    std::vector<Handle> handles;
    for (Handle at = list_.front(); at != kNullHandle && handles.size() < n;
         at = nodes_->links(at).next) {
      handles.push_back(at);
    }
    return handles;
  }

  [[nodiscard]] std::vector<Handle> coldest(std::size_t n) const {
    std::vector<Handle> handles;
    for (Handle at = list_.back(); at != kNullHandle && handles.size() < n;
         at = nodes_->links(at).prev) {
      handles.push_back(at);
    }
    return handles;
  }

 private:
  Nodes* nodes_;
  PolicyBounds bounds_;
  IntrusiveList<Nodes> list_{Segment::kWindow};
};

}  // namespace llm_edge_cache::engine
