// What every strategy would have hit: one small simulated cache per strategy over a sample of keys.
//
// Keys are sampled by hash, so a shadow sees every use of the keys in its sample, and a shadow of
// s entries over 1/r of the keys behaves like a cache of r * s entries (Waldspurger, Park,
// Garthwaite, Ahmad, "Efficient MRC construction with SHARDS", FAST 2015). The shadows share one
// table of keys, so that a use is looked up once, and the cache's own frequency sketch.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "llm_edge_cache/engine/policy/frequency_sketch.hpp"
#include "llm_edge_cache/engine/policy/strategy.hpp"

namespace llm_edge_cache::engine {

/// One bit per strategy.
using StrategySet = std::uint32_t;
inline constexpr StrategySet kAllStrategies = (StrategySet{1} << kStrategyCount) - 1;

/// Not thread-safe. Keeps at most kStrategyCount * kMaxEntries keys, and no more than
/// kStrategyCount times as many as the cache has entries.
class ShadowCaches {
 public:
  /// A shadow's size: as large as the cache up to here, then a half to the whole of it.
  static constexpr std::uint32_t kMaxEntries = 512;

  explicit ShadowCaches(std::uint64_t seed) : seed_(seed), buckets_(16, kNone) {}

  /// Simulates a cache that is full with `entries`. Cheap while the sampling rate stays.
  void set_capacity(std::uint64_t entries) {
    if (entries == modelled_entries_) return;
    modelled_entries_ = entries;
    const int shift = sample_shift_for(entries);
    const bool thinner = shift > sample_shift_;
    sample_shift_ = shift;
    capacity_ = static_cast<std::uint32_t>(std::max<std::uint64_t>(entries >> shift, 1));
    for (std::uint32_t s = 0; s < kStrategyCount; ++s) shadows_[s].limit(kStrategies[s], capacity_);
    if (thinner) drop_unsampled();
  }

  [[nodiscard]] bool samples(std::uint64_t hash) const {
    return (mixed(hash) >> 32 & ((std::uint64_t{1} << sample_shift_) - 1)) == 0;
  }

  /// A use of a sampled key. Returns the strategies under which it would have been a hit.
  StrategySet use(std::uint64_t hash, const FrequencySketch& sketch) {
    Index node = find(hash);
    if (node == kNone) node = insert(hash);
    StrategySet hits = 0;
    for (std::uint32_t s = 0; s < kStrategyCount; ++s) {
      if (segment(node, s) != Place::kAbsent) {
        hits |= StrategySet{1} << s;
        hit(node, s);
      }
    }
    for (std::uint32_t s = 0; s < kStrategyCount; ++s) {
      if ((hits >> s & 1) == 0) miss(node, s, sketch);
    }
    return hits;
  }

  /// A sampled key that left the cache for another reason than its size.
  void forget(std::uint64_t hash) {
    const Index node = find(hash);
    if (node == kNone) return;
    for (std::uint32_t s = 0; s < kStrategyCount; ++s) {
      if (segment(node, s) != Place::kAbsent) leave(node, s);
    }
    free_node(node);
  }

  /// Entries of one shadow when it is full.
  [[nodiscard]] std::uint32_t capacity() const { return capacity_; }

  [[nodiscard]] std::size_t memory_bytes() const {
    return buckets_.capacity() * sizeof(Index) + nodes_.capacity() * sizeof(Node);
  }

  /// True when every list, count and chain agrees. For tests: O(n).
  [[nodiscard]] bool validate() const {
    std::size_t chained = 0;
    for (Index head : buckets_) {
      for (Index at = head; at != kNone; at = nodes_[at].chain) {
        if (nodes_[at].places == 0 || find(nodes_[at].hash) != at || ++chained > nodes_.size()) {
          return false;
        }
      }
    }
    std::size_t free = 0;
    for (Index at = free_; at != kNone && free <= nodes_.size(); at = nodes_[at].chain) ++free;
    if (chained + free != nodes_.size()) return false;
    for (std::uint32_t s = 0; s < kStrategyCount; ++s) {
      for (const Place place : {Place::kWindow, Place::kProbation, Place::kProtected}) {
        if (!validate(s, place)) return false;
      }
    }
    return true;
  }

 private:
  using Index = std::uint16_t;
  static constexpr Index kNone = std::numeric_limits<Index>::max();
  static_assert(kStrategyCount * kMaxEntries + kStrategyCount < kNone);

  enum class Place : std::uint8_t { kAbsent, kWindow, kProbation, kProtected };
  static_assert(kStrategyCount * 2 <= 16);

  struct Links {
    Index prev;
    Index next;
  };
  struct Node {
    std::uint64_t hash;
    Index chain;
    std::uint16_t places;  ///< Two bits per strategy; 0 when the node is free.
    std::array<Links, kStrategyCount> links;
  };
  struct List {
    Index front = kNone;
    Index back = kNone;
    std::uint32_t count = 0;
  };
  struct Shadow {
    std::array<List, 4> lists;
    std::uint32_t capacity = 0;
    std::uint32_t window = 0;
    std::uint32_t protect = 0;
    std::uint32_t credit = 0;
    std::uint32_t refusals = 0;
    Index stubborn = kNone;

    List& list(Place place) { return lists[static_cast<std::size_t>(place)]; }
    [[nodiscard]] std::uint32_t count() const {
      return lists[1].count + lists[2].count + lists[3].count;
    }
    void limit(const Strategy& strategy, std::uint32_t entries) {
      capacity = entries;
      window = std::max(1U, static_cast<std::uint32_t>(strategy.window * entries));
      protect = static_cast<std::uint32_t>((entries - window) * strategy.protect);
      credit = strategy.victim_credit;
    }
  };

  static int sample_shift_for(std::uint64_t entries) {
    int shift = 0;
    while (entries >> shift > kMaxEntries) ++shift;
    return shift;
  }

  [[nodiscard]] std::uint64_t mixed(std::uint64_t hash) const {
    std::uint64_t mixed = (hash ^ seed_) * 0xD6E8FEB86659FD93U;
    return mixed ^ mixed >> 32;
  }

  [[nodiscard]] Place segment(Index node, std::uint32_t s) const {
    return static_cast<Place>(nodes_[node].places >> (2 * s) & 3);
  }

  void hit(Index node, std::uint32_t s) {
    Shadow& shadow = shadows_[s];
    const Place from = segment(node, s);
    if (from != Place::kProbation && shadow.list(from).front == node) return;
    leave(node, s);
    if (from == Place::kWindow) return enter(node, s, Place::kWindow);
    enter(node, s, shadow.protect == 0 ? Place::kProbation : Place::kProtected);
    if (shadow.list(Place::kProtected).count > shadow.protect) {
      const Index demoted = shadow.list(Place::kProtected).back;
      leave(demoted, s);
      enter(demoted, s, Place::kProbation);
    }
  }

  void miss(Index node, std::uint32_t s, const FrequencySketch& sketch) {
    Shadow& shadow = shadows_[s];
    enter(node, s, Place::kWindow);
    while (shadow.count() > shadow.capacity) {
      if (shadow.list(Place::kWindow).count <= shadow.window) {
        drop(victim(shadow), s);
      } else {
        drop(loser(shadow, sketch), s);
      }
    }
    if (shadow.list(Place::kWindow).count > shadow.window) {
      const Index moved = shadow.list(Place::kWindow).back;
      leave(moved, s);
      enter(moved, s, Place::kProbation);
    }
  }

  Index victim(Shadow& shadow) const {
    for (const Place place : {Place::kProbation, Place::kProtected, Place::kWindow}) {
      if (shadow.list(place).count > 0) return shadow.list(place).back;
    }
    return kNone;
  }

  /// Of the window's candidate and the main space's victim, the one that has to go.
  Index loser(Shadow& shadow, const FrequencySketch& sketch) const {
    const Index candidate = shadow.list(Place::kWindow).back;
    const Index rival = victim(shadow);
    if (rival == candidate) return candidate;
    const std::uint32_t worth = candidate_worth(sketch.frequency(nodes_[candidate].hash));
    if (worth > 0 && worth > rival_credit(shadow, rival, sketch)) return rival;
    shadow.refusals = rival == shadow.stubborn ? shadow.refusals + 1 : 1;
    shadow.stubborn = rival;
    return shadow.refusals > 2 * kVictimPatience ? rival : candidate;
  }

  std::uint32_t rival_credit(const Shadow& shadow, Index rival,
                             const FrequencySketch& sketch) const {
    if (shadow.credit == 0) return 0;  // Saves the look into the sketch.
    return std::min(shadow.credit, sketch.frequency(nodes_[rival].hash));
  }

  void drop(Index node, std::uint32_t s) {
    leave(node, s);
    if (nodes_[node].places == 0) free_node(node);
  }

  void enter(Index node, std::uint32_t s, Place place) {
    List& list = shadows_[s].list(place);
    nodes_[node].links[s] = {.prev = kNone, .next = list.front};
    (list.front == kNone ? list.back : nodes_[list.front].links[s].prev) = node;
    list.front = node;
    ++list.count;
    nodes_[node].places |= static_cast<std::uint16_t>(static_cast<unsigned>(place) << (2 * s));
  }

  void leave(Index node, std::uint32_t s) {
    List& list = shadows_[s].list(segment(node, s));
    const Links links = nodes_[node].links[s];
    (links.prev == kNone ? list.front : nodes_[links.prev].links[s].next) = links.next;
    (links.next == kNone ? list.back : nodes_[links.next].links[s].prev) = links.prev;
    --list.count;
    nodes_[node].places &= static_cast<std::uint16_t>(~(3U << (2 * s)));
  }

  [[nodiscard]] std::size_t bucket(std::uint64_t hash) const {
    return mixed(hash) & (buckets_.size() - 1);
  }

  [[nodiscard]] Index find(std::uint64_t hash) const {
    Index node = buckets_[bucket(hash)];
    while (node != kNone && nodes_[node].hash != hash) node = nodes_[node].chain;
    return node;
  }

  Index insert(std::uint64_t hash) {
    Index node = free_;
    if (node == kNone) {
      node = static_cast<Index>(nodes_.size());
      nodes_.emplace_back();
      if (nodes_.size() > buckets_.size()) rehash();
    } else {
      free_ = nodes_[node].chain;
    }
    Index& head = buckets_[bucket(hash)];
    nodes_[node].hash = hash;
    nodes_[node].places = 0;
    nodes_[node].chain = head;
    head = node;
    return node;
  }

  void free_node(Index node) {
    Index* at = &buckets_[bucket(nodes_[node].hash)];
    while (*at != node) at = &nodes_[*at].chain;
    *at = nodes_[node].chain;
    nodes_[node].chain = free_;
    nodes_[node].places = 0;
    free_ = node;
  }

  /// Called when no node is free, the last one not yet chained.
  void rehash() {
    buckets_.assign(buckets_.size() * 2, kNone);
    for (std::size_t i = 0; i + 1 < nodes_.size(); ++i) {
      Index& head = buckets_[bucket(nodes_[i].hash)];
      nodes_[i].chain = head;
      head = static_cast<Index>(i);
    }
  }

  void drop_unsampled() {
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      if (nodes_[i].places != 0 && !samples(nodes_[i].hash)) forget(nodes_[i].hash);
    }
  }

  [[nodiscard]] bool validate(std::uint32_t s, Place place) const {
    const List& list = shadows_[s].lists[static_cast<std::size_t>(place)];
    std::uint32_t count = 0;
    Index previous = kNone;
    for (Index at = list.front; at != kNone; at = nodes_[at].links[s].next) {
      if (segment(at, s) != place || nodes_[at].links[s].prev != previous || ++count > list.count) {
        return false;
      }
      previous = at;
    }
    return previous == list.back && count == list.count;
  }

  std::uint64_t seed_;
  std::uint64_t modelled_entries_ = 0;
  int sample_shift_ = 0;
  std::uint32_t capacity_ = 0;
  std::array<Shadow, kStrategyCount> shadows_;
  std::vector<Index> buckets_;
  std::vector<Node> nodes_;
  Index free_ = kNone;
};

}  // namespace llm_edge_cache::engine
