// W-TinyLFU that adapts its window and its admission test.
//
// New entries pass through an LRU window; what leaves it becomes a candidate for the main space, a
// segmented LRU, and is admitted if a frequency sketch says that it is used more than all the
// victims that it would displace together. How large the window is and how much a victim's past
// counts is chosen by shadow caches (strategy.hpp, shadow_caches.hpp, strategy_chooser.hpp).
// Sources: Einziger, Friedman, Manes, "TinyLFU: a highly efficient cache admission policy" (ACM TOS
// 2017); Einziger, Eytan, Friedman, Manes, "Adaptive software cache management" (Middleware 2018)
// and "Lightweight robust size aware cache management" (ACM TOS 2022); for the second admission
// test Johnson, Shasha, "2Q" (VLDB 1994) and Yang et al., "FIFO queues are all you need for cache
// eviction" (SOSP 2023).
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "llm_edge_cache/engine/policy/frequency_sketch.hpp"
#include "llm_edge_cache/engine/policy/intrusive_list.hpp"
#include "llm_edge_cache/engine/policy/node_links.hpp"
#include "llm_edge_cache/engine/policy/shadow_caches.hpp"
#include "llm_edge_cache/engine/policy/split_mix.hpp"
#include "llm_edge_cache/engine/policy/strategy.hpp"
#include "llm_edge_cache/engine/policy/strategy_chooser.hpp"

namespace llm_edge_cache::engine {

/// Not thread-safe. `nodes` must outlive the policy. Every operation is O(1) amortised.
/// Memory: the sketch's 8 bytes per entry and shadow caches of about 90 KiB, 180 at most.
template <PolicyNodes Nodes>
class TinyLfuPolicy {
 public:
  TinyLfuPolicy(Nodes& nodes, const PolicyOptions& options)
      : nodes_(&nodes),
        bounds_(options.bounds),
        adapts_(!options.fixed_strategy.has_value()),
        random_(options.seed),
        sketch_(options.bounds.max_entries, random_.next()),
        shadows_(random_.next()) {
    follow(kStrategies[options.fixed_strategy.value_or(chooser_.current())]);
  }

  /// A node that was just stored. Call `evict` before the lock is given up.
  void on_insert(Handle handle) {
    if (count() >= modelled_entries_ + modelled_entries_ / 8) model(std::bit_ceil(count() + 1));
    record_use(handle);
    allowed_moves_ += kMovesPerInsert;
    // What the window cannot hold, or what would sweep it, is judged first.
    const std::uint32_t weight_bytes = nodes_->weight(handle);
    const bool full = over(bounds_, count() + 1, weight() + weight_bytes);
    if (weight_bytes > window_limit_.max_weight_bytes || (full && is_bulky(handle))) {
      window_.push_back(*nodes_, handle);
    } else {
      window_.push_front(*nodes_, handle);
    }
  }

  /// A node that was read or replaced.
  void on_hit(Handle handle) {
    record_use(handle);
    if (nodes_->weight(handle) > bounds_.max_weight_bytes) return;  // Waits for `evict`.
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

  /// Whether less than half of both bounds is used: nothing is given up for long.
  [[nodiscard]] bool is_filling() const {
    return count() < bounds_.max_entries / 2 && weight() < bounds_.max_weight_bytes / 2;
  }

  /// The node's weight is no longer `old_weight_bytes`. Call `evict` before the lock is given up.
  void on_weight_change(Handle handle, std::uint32_t old_weight_bytes) {
    List& list = list_of(handle);
    list.reweigh(old_weight_bytes, nodes_->weight(handle));
    if (nodes_->weight(handle) <= bounds_.max_weight_bytes) return;
    list.remove(*nodes_, handle);
    window_.push_back(*nodes_, handle);
  }

  /// `fresh` takes the place of `old`, which has the same hash and is forgotten. Call `evict`
  /// before the lock is given up.
  void on_replace(Handle old, Handle fresh) {
    list_of(old).replace(*nodes_, old, fresh);
    on_weight_change(fresh, nodes_->weight(old));
  }

  /// A node that left for another reason than `evict` (expired, removed).
  void on_remove(Handle handle) {
    const std::uint64_t hash = nodes_->hash(handle);
    list_of(handle).remove(*nodes_, handle);
    if (adapts_ && shadows_.samples(hash)) shadows_.forget(hash);
  }

  /// Unlinks entries until both bounds hold and hands each to `evict(handle, refused_admission)`,
  /// which may free the node but must not call back into the policy.
  template <class Evict>
  void evict(Evict&& evict) {
    if (over(bounds_, count(), weight())) model_full();
    while (over(bounds_, count(), weight())) {
      if (over(window_limit_, window_.count(), window_.weight()) ||
          (!window_.empty() && is_bulky(window_.back()))) {
        judge(window_.back(), evict);
      } else {
        drop(victim_beside(kNullHandle), false, evict);
      }
    }
    // Room left: what overflows the window enters untested. A window that has to shrink does so at
    // the pace of insertions, so that a change of strategy never stops the cache.
    for (; allowed_moves_ > 0 && over(window_limit_, window_.count(), window_.weight());
         --allowed_moves_) {
      move(window_.back(), window_, probation_);
    }
    allowed_moves_ = 0;
  }

  /// Call `evict` before the lock is given up.
  void resize(const PolicyBounds& bounds) {
    bounds_ = bounds;
    follow(strategy_);
  }

  [[nodiscard]] PolicyStatistics statistics() const {
    return {.window_fraction = strategy_.window,
            .protected_fraction = strategy_.protect,
            .admissions = admissions_,
            .refusals = refusals_,
            .adaptations = chooser_.changes()};
  }
  [[nodiscard]] std::uint64_t count() const {
    return window_.count() + probation_.count() + protected_.count();
  }
  [[nodiscard]] std::uint64_t weight() const {
    return window_.weight() + probation_.weight() + protected_.weight();
  }
  [[nodiscard]] std::size_t memory_bytes() const {
    return sizeof(*this) + sketch_.memory_bytes() + shadows_.memory_bytes();
  }

  /// Up to `n` handles, those the policy would keep longest first.
  [[nodiscard]] std::vector<Handle> hottest(std::size_t n) const {
    std::vector<Handle> handles;
    for (const List* list : {&protected_, &window_, &probation_}) {
      for (Handle at = list->front(); at != kNullHandle && handles.size() < n;
           at = nodes_->links(at).next) {
        handles.push_back(at);
      }
    }
    return handles;
  }

  /// The other end of the same order.
  [[nodiscard]] std::vector<Handle> coldest(std::size_t n) const {
    std::vector<Handle> handles;
    for (const List* list : {&probation_, &window_, &protected_}) {
      for (Handle at = list->back(); at != kNullHandle && handles.size() < n;
           at = nodes_->links(at).prev) {
        handles.push_back(at);
      }
    }
    return handles;
  }

  /// True when every list agrees with its links and sums, and both bounds hold. For tests: O(n).
  [[nodiscard]] bool validate() const {
    return window_.validate(*nodes_) && probation_.validate(*nodes_) &&
           protected_.validate(*nodes_) && shadows_.validate() && !over(bounds_, count(), weight());
  }

 private:
  using List = IntrusiveList<Nodes>;
  static constexpr std::uint64_t kMovesPerInsert = 2;
  static constexpr std::uint64_t kBulkyTimesMean = 64;

  static bool over(const PolicyBounds& limit, std::uint64_t entries, std::uint64_t weight_bytes) {
    return entries > limit.max_entries || weight_bytes > limit.max_weight_bytes;
  }

  static PolicyBounds scaled(const PolicyBounds& bounds, double share) {
    const auto scale = [share](std::uint64_t bound) {
      return bound == kUnbounded ? kUnbounded
                                 : static_cast<std::uint64_t>(static_cast<double>(bound) * share);
    };
    return {.max_entries = scale(bounds.max_entries),
            .max_weight_bytes = scale(bounds.max_weight_bytes)};
  }

  void follow(const Strategy& strategy) {
    strategy_ = strategy;
    window_limit_ = scaled(bounds_, strategy.window);
    window_limit_.max_entries = std::max<std::uint64_t>(window_limit_.max_entries, 1);
    protected_limit_ = scaled(bounds_, (1 - strategy.window) * strategy.protect);
  }

  void record_use(Handle handle) {
    const std::uint64_t hash = nodes_->hash(handle);
    sketch_.reserve(std::min(count() + 1, bounds_.max_entries));
    sketch_.increment(hash);
    if (!adapts_ || !shadows_.samples(hash)) return;
    if (chooser_.observe(shadows_.use(hash, sketch_), shadows_.capacity())) {
      follow(kStrategies[chooser_.current()]);
    }
  }

  void model(std::uint64_t entries) {
    modelled_entries_ = entries;
    shadows_.set_capacity(entries);
  }

  /// What a byte bound holds in entries changes with the entries; small changes are let be.
  void model_full() {
    const std::uint64_t entries = std::min(count(), bounds_.max_entries);
    const std::uint64_t change =
        std::max(entries, modelled_entries_) - std::min(entries, modelled_entries_);
    if (entries == bounds_.max_entries || change > modelled_entries_ / 16) model(entries);
  }

  List& list_of(Handle handle) {
    switch (nodes_->links(handle).segment) {
      case Segment::kProbation:
        return probation_;
      case Segment::kProtected:
        return protected_;
      default:
        return window_;
    }
  }

  void move(Handle handle, List& from, List& to) {
    from.remove(*nodes_, handle);
    to.push_front(*nodes_, handle);
  }

  void promote(Handle handle) {
    if (nodes_->weight(handle) > protected_limit_.max_weight_bytes ||
        protected_limit_.max_entries == 0) {
      return probation_.move_to_front(*nodes_, handle);
    }
    move(handle, probation_, protected_);
    while (over(protected_limit_, protected_.count(), protected_.weight())) {
      move(protected_.back(), protected_, probation_);
    }
  }

  /// So much heavier than the mean that no strategy may let it in untested.
  [[nodiscard]] bool is_bulky(Handle handle) const {
    return nodes_->weight(handle) / kBulkyTimesMean >
           weight() / std::max<std::uint64_t>(count(), 1);
  }

  /// The first to give up, in the order of `coldest` but never `candidate`.
  [[nodiscard]] Handle victim_beside(Handle candidate) const {
    for (const List* list : {&probation_, &protected_, &window_}) {
      Handle at = list->back();
      if (at == candidate && at != kNullHandle) at = nodes_->links(at).prev;
      if (at != kNullHandle) return at;
    }
    return candidate;
  }

  template <class Evict>
  void drop(Handle handle, bool refused_admission, Evict&& evict) {
    list_of(handle).remove(*nodes_, handle);
    evict(handle, refused_admission);
  }

  /// Keeps the window's candidate in place of enough of the coldest entries, or drops it.
  template <class Evict>
  void judge(Handle candidate, Evict&& evict) {
    const bool bulky = is_bulky(candidate);
    const bool main_is_empty = probation_.empty() && protected_.empty();
    if (main_is_empty && !bulky) return drop(candidate, false, evict);
    if (!worth_its_victims(candidate)) {
      ++refusals_;
      return drop(candidate, true, evict);
    }
    ++admissions_;
    while (over(bounds_, count(), weight())) drop(victim_beside(candidate), false, evict);
    move(candidate, window_, main_is_empty ? window_ : probation_);
  }

  /// Compares with all the victims together. The strategy's credit is for the first of them: who
  /// displaces several is always held against all that they were used.
  bool worth_its_victims(Handle candidate) {
    const std::uint32_t worth = candidate_worth(sketch_.frequency(nodes_->hash(candidate)));
    std::uint64_t entries = count();
    std::uint64_t weight_bytes = weight();
    std::uint32_t credit = strategy_.victim_credit;
    std::uint32_t victims_worth = 0;
    for (const List* list : {&probation_, &protected_, &window_}) {
      for (Handle at = list->back(); at != kNullHandle; at = nodes_->links(at).prev) {
        if (at == candidate) continue;
        victims_worth += std::min(credit, sketch_.frequency(nodes_->hash(at)));
        credit = kFullCredit;
        --entries;
        weight_bytes -= nodes_->weight(at);
        const bool room = !over(bounds_, entries, weight_bytes);
        if (worth <= victims_worth) return room && loses_patience(at);
        if (room) return true;
      }
    }
    return false;
  }

  /// The random escape from hash flooding: lets a victim go by chance that has refused many
  /// candidates in a row without being used.
  bool loses_patience(Handle victim) {
    refusals_in_a_row_ = victim == last_refuser_ ? refusals_in_a_row_ + 1 : 1;
    last_refuser_ = victim;
    return refusals_in_a_row_ > kVictimPatience && random_.next() % kVictimPatience == 0;
  }

  Nodes* nodes_;
  PolicyBounds bounds_;
  PolicyBounds window_limit_;
  PolicyBounds protected_limit_;
  bool adapts_;
  SplitMix64 random_;
  Strategy strategy_{};
  List window_{Segment::kWindow};
  List probation_{Segment::kProbation};
  List protected_{Segment::kProtected};
  FrequencySketch sketch_;
  ShadowCaches shadows_;
  StrategyChooser chooser_;
  std::uint64_t modelled_entries_ = 0;
  std::uint64_t allowed_moves_ = 0;
  std::uint64_t admissions_ = 0;
  std::uint64_t refusals_ = 0;
  Handle last_refuser_ = kNullHandle;
  std::uint32_t refusals_in_a_row_ = 0;
};

}  // namespace llm_edge_cache::engine
