// What happens behind the index: the policy and the timer wheel learn what was read and written,
// and decide what goes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>
#include <vector>

#include "llm_edge_cache/engine/options.hpp"
#include "llm_edge_cache/engine/read_buffer.hpp"
#include "llm_edge_cache/engine/shard.hpp"
#include "llm_edge_cache/engine/timer_wheel.hpp"

namespace llm_edge_cache::engine {

/// Guarded by the cache's maintenance lock as a whole. Steps are bounded: by the size of the
/// queues, or by a budget.
template <class Index, class Policy>
class Maintenance {
 public:
  using Slab = typename Index::Slab;

  struct Timing {
    std::int64_t origin_ns;
    std::int64_t tti_ns;
    std::uint32_t tick_shift;
  };

  /// Nodes that left and that nothing knows any more: to be reported, then retired.
  using Departures = std::vector<Handle>;

  Maintenance(Index& index, Slab& slab, const PolicyOptions& options, const Timing& timing)
      : index_(&index),
        slab_(&slab),
        timing_(timing),
        policy_(slab, options),
        wheel_(slab, timing.origin_ns, timing.tick_shift) {}

  void apply(ReadEvent event) {
    if (event.is_hit()) {
      if (linked(event.handle())) policy_.on_hit(event.handle());
    } else if constexpr (requires { policy_.on_miss(event.hash()); }) {
      policy_.on_miss(event.hash());
    }
  }

  void drain(ReadBuffer& reads) {
    reads.drain([this](ReadEvent event) { apply(event); });
  }

  /// Applies what writers queued in one shard.
  void drain(std::size_t shard, std::int64_t now_ns, Departures& departures) {
    typename Index::Events events;
    const std::uint32_t count = index_->take_events(shard, events);
    for (std::uint32_t i = 0; i < count; ++i) fetch(events[i]);
    for (std::uint32_t i = 0; i < count; ++i) apply(events[i], now_ns, departures);
  }

  /// Removes what is over the policy's bounds.
  void enforce_bounds(std::int64_t now_ns, Departures& departures) {
    evicting_ = false;
    policy_.evict([&](Handle victim, bool refused_admission) {
      evicting_ = true;
      unlink(victim);
      if (!index_->detach(victim, RemovalCause::kSize)) return;
      if (refused_admission) ++refused_;
      depart(victim, now_ns, departures);
    });
  }

  /// Whether the bounds were met lately: then what was read matters to what goes next.
  [[nodiscard]] bool evicting() const { return evicting_; }

  /// Removes what is expired, at most `budget` nodes; returns whether there may be more.
  bool expire(std::int64_t now_ns, std::size_t budget, Departures& departures) {
    return wheel_.advance(
        now_ns, budget,
        [this](Handle handle) { return slab_->read_part(handle).deadline_ns(timing_.tti_ns); },
        [&](Handle handle) {
          policy_.on_remove(handle);
          unlink(handle);
          if (index_->detach(handle, RemovalCause::kExpired)) depart(handle, now_ns, departures);
        });
  }

  [[nodiscard]] Policy& policy() { return policy_; }
  [[nodiscard]] const Policy& policy() const { return policy_; }

  void add_to(CacheStatistics& statistics) const {
    std::uint64_t departed = 0;
    for (std::size_t cause = 0; cause < kRemovalCauses; ++cause) {
      statistics.removals[cause] = removals_[cause];
      statistics.removed_weight[cause] = removed_weight_[cause];
      departed += removals_[cause];
    }
    statistics.admissions_refused = refused_;
    statistics.window_fraction = policy_.statistics().window_fraction;
    if (departed != 0) {
      statistics.mean_life = std::chrono::nanoseconds(
          static_cast<std::int64_t>(lived_units_ / departed) * WritePart::kBornUnitNs);
    }
  }

  [[nodiscard]] std::size_t memory_bytes() const {
    return sizeof(*this) - sizeof(Policy) + policy_.memory_bytes();
  }

  /// Departures counted so far.
  [[nodiscard]] std::uint64_t departed() const {
    std::uint64_t sum = 0;
    for (const std::uint64_t count : removals_) sum += count;
    return sum;
  }

  /// True when policy and wheel are sound and, all queues being drained, know `entries` nodes.
  [[nodiscard]] bool validate(std::uint64_t entries) const {
    return policy_.validate() && wheel_.validate() && policy_.count() == entries;
  }

  /// Units of WritePart::kBornUnitNs.
  [[nodiscard]] std::uint32_t units_since_origin(std::int64_t now_ns) const {
    return static_cast<std::uint32_t>((now_ns - timing_.origin_ns) / WritePart::kBornUnitNs);
  }

 private:
  [[nodiscard]] bool linked(Handle handle) const {
    return slab_->write_part(handle).linked.load(std::memory_order_relaxed);
  }

  /// Nodes are far apart: asks for all of a batch before the first is needed.
  void fetch(const WriteEvent& event) const {
    if (event.departed != kNullHandle) __builtin_prefetch(&slab_->write_part(event.departed), 1);
    if (event.arrived != kNullHandle) __builtin_prefetch(&slab_->write_part(event.arrived), 1);
  }

  void apply(const WriteEvent& event, std::int64_t now_ns, Departures& departures) {
    const bool old_linked = event.departed != kNullHandle && linked(event.departed);
    if (event.arrived != kNullHandle) {
      if (old_linked) {
        // Far from the bounds the policy has nothing to learn from who writes again.
        if (!policy_.is_filling()) policy_.on_hit(event.departed);
        policy_.on_replace(event.departed, event.arrived);
      } else {
        policy_.on_insert(event.arrived);
      }
      link(event.arrived);
    } else if (old_linked) {
      policy_.on_remove(event.departed);
    }
    if (old_linked) unlink(event.departed);
    if (event.departed != kNullHandle) depart(event.departed, now_ns, departures);
  }

  void link(Handle handle) {
    slab_->write_part(handle).linked.store(true, std::memory_order_relaxed);
    const std::int64_t deadline_ns = slab_->read_part(handle).deadline_ns(timing_.tti_ns);
    if (deadline_ns != kNeverNs) wheel_.schedule(handle, deadline_ns);
  }

  /// The policy has forgotten the node already.
  void unlink(Handle handle) {
    slab_->write_part(handle).linked.store(false, std::memory_order_relaxed);
    wheel_.cancel(handle);
  }

  void depart(Handle handle, std::int64_t now_ns, Departures& departures) {
    const WritePart& part = slab_->write_part(handle);
    const auto cause = static_cast<std::size_t>(part.cause);
    ++removals_[cause];
    removed_weight_[cause] += part.weight;
    const auto lived = static_cast<std::int32_t>(units_since_origin(now_ns) - part.born);
    if (lived > 0) lived_units_ += static_cast<std::uint32_t>(lived);
    departures.push_back(handle);
  }

  Index* index_;
  Slab* slab_;
  Timing timing_;
  Policy policy_;
  TimerWheel<Slab> wheel_;
  std::uint64_t removals_[kRemovalCauses] = {};
  std::uint64_t removed_weight_[kRemovalCauses] = {};
  std::uint64_t refused_ = 0;
  std::uint64_t lived_units_ = 0;
  bool evicting_ = false;
};

}  // namespace llm_edge_cache::engine
