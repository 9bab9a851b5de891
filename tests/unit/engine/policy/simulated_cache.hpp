// A policy on its own: nodes in a vector, an index by key, no threads. For tests and simulations.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "llm_edge_cache/engine/policy/node_links.hpp"
#include "llm_edge_cache/engine/policy/split_mix.hpp"

namespace llm_edge_cache::engine::testing {

class VectorNodes {
 public:
  struct Node {
    PolicyLinks links;
    std::uint64_t hash = 0;
    std::uint32_t weight = 0;
    std::uint64_t key = 0;
  };

  PolicyLinks& links(Handle handle) { return nodes_[handle].links; }
  [[nodiscard]] std::uint64_t hash(Handle handle) const { return nodes_[handle].hash; }
  [[nodiscard]] std::uint32_t weight(Handle handle) const { return nodes_[handle].weight; }
  Node& operator[](Handle handle) { return nodes_[handle]; }

  Handle allocate(std::uint64_t key, std::uint64_t hash, std::uint32_t weight) {
    Handle handle = static_cast<Handle>(nodes_.size());
    if (free_.empty()) {
      nodes_.emplace_back();
    } else {
      handle = free_.back();
      free_.pop_back();
    }
    nodes_[handle] = {.links = {}, .hash = hash, .weight = weight, .key = key};
    return handle;
  }
  void release(Handle handle) { free_.push_back(handle); }

 private:
  std::vector<Node> nodes_;
  std::vector<Handle> free_;
};

/// `Policy` is a template over its nodes.
template <template <class> class Policy>
class SimulatedCache {
 public:
  explicit SimulatedCache(const PolicyOptions& options)
      : hash_seed_(SplitMix64(options.seed + 1).next()), policy_(nodes_, options) {}

  /// A get, and a put where it misses. Returns whether it was a hit.
  bool use(std::uint64_t key, std::uint32_t weight = 1) {
    const auto found = index_.find(key);
    if (found != index_.end()) {
      policy_.on_hit(found->second);
      return true;
    }
    const Handle handle = nodes_.allocate(key, SplitMix64(key ^ hash_seed_).next(), weight);
    index_[key] = handle;
    policy_.on_insert(handle);
    evict();
    return false;
  }

  void reweigh(std::uint64_t key, std::uint32_t weight) {
    const Handle handle = index_.at(key);
    const std::uint32_t old_weight = nodes_.weight(handle);
    nodes_[handle].weight = weight;
    policy_.on_weight_change(handle, old_weight);
    evict();
  }

  /// Puts a new node with another weight in the place of the old one.
  void replace(std::uint64_t key, std::uint32_t weight) {
    Handle& handle = index_.at(key);
    const Handle fresh = nodes_.allocate(key, nodes_.hash(handle), weight);
    policy_.on_replace(handle, fresh);
    nodes_.release(handle);
    handle = fresh;
    policy_.on_hit(fresh);
    evict();
  }

  void remove(std::uint64_t key) {
    const auto found = index_.find(key);
    policy_.on_remove(found->second);
    nodes_.release(found->second);
    index_.erase(found);
  }

  void resize(const PolicyBounds& bounds) {
    policy_.resize(bounds);
    evict();
  }

  [[nodiscard]] bool contains(std::uint64_t key) const { return index_.contains(key); }
  [[nodiscard]] std::size_t size() const { return index_.size(); }
  [[nodiscard]] std::uint64_t key_of(Handle handle) { return nodes_[handle].key; }
  [[nodiscard]] const Policy<VectorNodes>& policy() const { return policy_; }
  [[nodiscard]] std::uint64_t refused() const { return refused_; }

 private:
  void evict() {
    policy_.evict([this](Handle handle, bool refused_admission) {
      refused_ += refused_admission ? 1 : 0;
      index_.erase(nodes_[handle].key);
      nodes_.release(handle);
    });
  }

  std::uint64_t hash_seed_;
  VectorNodes nodes_;
  std::unordered_map<std::uint64_t, Handle> index_;
  Policy<VectorNodes> policy_;
  std::uint64_t refused_ = 0;
};

}  // namespace llm_edge_cache::engine::testing
