// W-TinyLFU with an adaptive window.
//
// New entries pass through an LRU window; what leaves it becomes a candidate for the main space, a
// segmented LRU, and is admitted if a frequency sketch says that it is used more than all the
// victims that it would displace together. Sources: Einziger, Friedman, Manes, "TinyLFU: a highly
// efficient cache admission policy" (ACM TOS 2017); Einziger, Eytan, Friedman, Manes, "Adaptive
// software cache management" (Middleware 2018) and "Lightweight robust size aware cache management"
// (ACM TOS 2022).
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
    apply(Shares{});
  }

  /// A node that was just stored. Call `evict` before the lock is given up.
  void on_insert(Handle handle) {
    record(handle);
    allowed_moves_ += 2;
    // What no window can hold is judged first, so that it does not sweep the window.
    if (nodes_->weight(handle) > window_limit_.max_weight_bytes) {
      window_.push_back(*nodes_, handle);
    } else {
      window_.push_front(*nodes_, handle);
    }
  }

  /// A node that was read or replaced.
  void on_hit(Handle handle) {
    record(handle);
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

  /// `fresh` takes the place of `old`, which has the same hash and is forgotten. Call `evict` before
  /// the lock is given up.
  void on_replace(Handle old, Handle fresh) {
    list_of(old).replace(*nodes_, old, fresh);
    on_weight_change(fresh, nodes_->weight(old));
  }

  /// A node that left for another reason than `evict` (expired, removed, replaced).
  void on_remove(Handle handle) { list_of(handle).remove(*nodes_, handle); }

  /// Unlinks entries until both bounds hold and hands each to `evict(handle, refused_admission)`,
  /// which may free the node but must not call back into the policy.
  template <class Evict>
  void evict(Evict&& evict) {
    while (over(bounds_, count(), weight())) {
      if (over(window_limit_, window_.count(), window_.weight())) {
        judge(window_.back(), evict);
      } else {
        drop(next_victim(), false, evict);
      }
    }
    // Room left: what overflows the window enters untested. A window that has to shrink does so at
    // the pace of insertions, so that a change of shares never stops the cache.
    for (; allowed_moves_ > 0 && over(window_limit_, window_.count(), window_.weight());
         --allowed_moves_) {
      move(window_.back(), window_, probation_);
    }
    allowed_moves_ = 0;
  }

  void resize(const PolicyBounds& bounds) {
    bounds_ = bounds;
    apply(shares_);
  }

  [[nodiscard]] PolicyStatistics statistics() const {
    return {.window_fraction = shares_.window,
            .protected_fraction = shares_.protect,
            .admissions = admissions_,
            .refusals = refusals_,
            .adaptations = 0};
  }
  [[nodiscard]] std::uint64_t count() const {
    return window_.count() + probation_.count() + protected_.count();
  }
  [[nodiscard]] std::uint64_t weight() const {
    return window_.weight() + probation_.weight() + protected_.weight();
  }
  [[nodiscard]] std::size_t memory_bytes() const { return sizeof(*this) + sketch_.memory_bytes(); }

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

  /// Up to `n` handles, those the policy would give up first first.
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
           protected_.validate(*nodes_) && !over(bounds_, count(), weight());
  }

  struct Shares {
    double window = 0.01;
    double protect = 0.8;
  };
  void apply(const Shares& shares) {
    shares_ = shares;
    window_limit_ = scaled(bounds_, shares.window);
    window_limit_.max_entries = std::max<std::uint64_t>(window_limit_.max_entries, 1);
    protected_limit_ = scaled(bounds_, (1 - shares.window) * shares.protect);
  }

 private:
  using List = IntrusiveList<Nodes>;

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

  void record(Handle handle) {
    sketch_.reserve(std::min(count() + 1, bounds_.max_entries));
    sketch_.increment(nodes_->hash(handle));
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
    demote_overflow();
  }

  void demote_overflow() {
    while (over(protected_limit_, protected_.count(), protected_.weight())) {
      move(protected_.back(), protected_, probation_);
    }
  }

  Handle next_victim() const {
    for (const List* list : {&probation_, &protected_}) {
      if (!list->empty()) return list->back();
    }
    return window_.back();
  }

  template <class Evict>
  void drop(Handle handle, bool refused_admission, Evict&& evict) {
    list_of(handle).remove(*nodes_, handle);
    evict(handle, refused_admission);
  }

  /// Lets the candidate into the main space in place of enough of its coldest entries, or evicts
  /// it.
  template <class Evict>
  void judge(Handle candidate, Evict&& evict) {
    if (probation_.empty() && protected_.empty()) return drop(candidate, false, evict);
    if (!worth_its_victims(candidate)) {
      ++refusals_;
      return drop(candidate, true, evict);
    }
    ++admissions_;
    while (over(bounds_, count(), weight())) drop(next_victim(), false, evict);
    move(candidate, window_, probation_);
  }

  bool worth_its_victims(Handle candidate) {
    const std::uint32_t worth = sketch_.frequency(nodes_->hash(candidate));
    std::uint64_t entries = count();
    std::uint64_t weight_bytes = weight();
    std::uint32_t victims_worth = 0;
    for (const List* list : {&probation_, &protected_}) {
      for (Handle at = list->back(); at != kNullHandle; at = nodes_->links(at).prev) {
        if (!over(bounds_, entries, weight_bytes)) return true;
        victims_worth += sketch_.frequency(nodes_->hash(at));
        --entries;
        weight_bytes -= nodes_->weight(at);
        if (victims_worth >= worth) {
          return !over(bounds_, entries, weight_bytes) && escapes(worth);
        }
      }
    }
    return !over(bounds_, entries, weight_bytes);
  }

  /// One warm candidate in 128 is admitted against the count, so that keys made to collide in the
  /// sketch cannot hold their place for ever.
  bool escapes(std::uint32_t worth) { return worth > kWarm && (next_random() & 127) == 0; }

  std::uint64_t next_random() {
    random_ += 0x9E3779B97F4A7C15U;
    std::uint64_t z = random_;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
    return z ^ (z >> 31);
  }

  static constexpr std::uint32_t kWarm = 5;

  Nodes* nodes_;
  PolicyBounds bounds_;
  PolicyBounds window_limit_;
  PolicyBounds protected_limit_;
  Shares shares_;
  List window_{Segment::kWindow};
  List probation_{Segment::kProbation};
  List protected_{Segment::kProtected};
  FrequencySketch sketch_;
  std::uint64_t random_;
  std::uint64_t allowed_moves_ = 0;
  std::uint64_t admissions_ = 0;
  std::uint64_t refusals_ = 0;
};

}  // namespace llm_edge_cache::engine
