// A hierarchical timer wheel over nodes (Varghese and Lauck, "Hashed and hierarchical timing
// wheels", SOSP 1987): scheduling, cancelling and firing are O(1); six levels of 64 slots.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>

#include "llm_edge_cache/engine/clock.hpp"
#include "llm_edge_cache/engine/nodes.hpp"

namespace llm_edge_cache::engine {

/// Not thread-safe. `Nodes` gives `write_part(handle).wheel`; handles are below 2^31.
///
/// A deadline may move to later while a node is scheduled (a read does that): the wheel asks for it
/// again when the node comes up.
template <class Nodes>
class TimerWheel {
 public:
  /// Time is counted in ticks of 2^`tick_shift` nanoseconds from `origin_ns`.
  TimerWheel(Nodes& nodes, std::int64_t origin_ns, std::uint32_t tick_shift)
      : nodes_(&nodes), origin_ns_(origin_ns), tick_shift_(tick_shift) {
    buckets_.fill(kNullHandle);
  }

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool scheduled(Handle handle) const {
    return nodes_->write_part(handle).wheel.prev != kNullHandle;
  }

  /// `handle` must not be scheduled. It comes up less than a tick after `deadline_ns`.
  void schedule(Handle handle, std::int64_t deadline_ns) {
    place(handle, deadline_ns);
    ++size_;
  }

  /// Does nothing to a handle that is not scheduled.
  void cancel(Handle handle) {
    if (!scheduled(handle)) return;
    unlink(handle);
    --size_;
  }

  /// Calls `fire(handle)`, with the handle no longer scheduled, for what is due at `now_ns`, where
  /// `deadline(handle)` says when that is. Stops after `budget` nodes; returns whether there may be
  /// more due.
  template <class Deadline, class Fire>
  bool advance(std::int64_t now_ns, std::size_t budget, Deadline&& deadline, Fire&& fire) {
    const std::uint64_t complete = complete_ticks(now_ns);
    if (complete == 0) return false;
    const std::uint64_t target = complete - 1;
    while (size_ != 0) {
      if (buckets_[kComingUp] == kNullHandle) {
        const Due due = next_due();
        if (due.tick > target) break;
        now_ = std::max(now_, due.tick);
        take_up(due.bucket);
      }
      if (budget-- == 0) return true;
      const Handle handle = buckets_[kComingUp];
      const std::int64_t deadline_ns = deadline(handle);
      unlink(handle);
      if (deadline_ns > now_ns) {
        place(handle, deadline_ns);
      } else {
        --size_;
        fire(handle);
      }
    }
    now_ = std::max(now_, target);
    return false;
  }

  /// True when every link agrees with its neighbours and buckets. For tests: O(n).
  [[nodiscard]] bool validate() const {
    std::size_t found = 0;
    for (std::uint32_t bucket = 0; bucket <= kComingUp; ++bucket) {
      const bool occupied = (occupied_[bucket / kSlots] >> (bucket % kSlots) & 1) != 0;
      if (occupied != (buckets_[bucket] != kNullHandle)) return false;
      Handle prev = kBucketBit | bucket;
      for (Handle at = buckets_[bucket]; at != kNullHandle; at = links(at).next) {
        if (links(at).prev != prev || ++found > size_) return false;
        prev = at;
      }
    }
    return found == size_;
  }

 private:
  static constexpr std::uint32_t kLevels = 6;
  static constexpr std::uint32_t kSlotBits = 6;
  static constexpr std::uint32_t kSlots = 1U << kSlotBits;
  /// The bucket whose time has come, moved aside so that what is placed meanwhile cannot get ahead.
  static constexpr std::uint32_t kComingUp = kLevels * kSlots;
  static constexpr std::uint64_t kHorizonTicks = std::uint64_t{kSlots - 1}
                                                 << kSlotBits * (kLevels - 1);
  /// In `prev` of a bucket's first node: that bucket.
  static constexpr Handle kBucketBit = Handle{1} << 31;

  struct Due {
    std::uint64_t tick;
    std::uint32_t bucket;
  };

  [[nodiscard]] WheelLinks& links(Handle handle) const { return nodes_->write_part(handle).wheel; }

  [[nodiscard]] std::uint64_t since_origin(std::int64_t time_ns) const {
    return time_ns > origin_ns_ ? static_cast<std::uint64_t>(time_ns - origin_ns_) : 0;
  }
  /// Ticks all of whose deadlines are due.
  [[nodiscard]] std::uint64_t complete_ticks(std::int64_t now_ns) const {
    return (since_origin(now_ns) + 1) >> tick_shift_;
  }

  /// The level is the highest digit, base 64, in which the tick differs from now. A deadline beyond
  /// the horizon comes up early and is placed again.
  void place(Handle handle, std::int64_t deadline_ns) {
    const std::uint64_t tick =
        std::clamp(since_origin(deadline_ns) >> tick_shift_, now_, now_ + kHorizonTicks);
    const std::uint32_t differing_bits = static_cast<std::uint32_t>(std::bit_width(tick ^ now_));
    const std::uint32_t level =
        differing_bits == 0 ? 0 : std::min((differing_bits - 1) / kSlotBits, kLevels - 1);
    const auto slot = static_cast<std::uint32_t>(tick >> (kSlotBits * level)) % kSlots;
    link(handle, level * kSlots + slot);
  }

  /// Lower levels come first, and within a level the slots in turn from now on.
  [[nodiscard]] Due next_due() const {
    for (std::uint32_t level = 0; level < kLevels; ++level) {
      if (occupied_[level] == 0) continue;
      const std::uint64_t now_slot = now_ >> (kSlotBits * level);
      const auto ahead = static_cast<std::uint32_t>(
          std::countr_zero(std::rotr(occupied_[level], static_cast<int>(now_slot % kSlots))));
      const std::uint64_t slot = now_slot + ahead;
      return {.tick = slot << (kSlotBits * level),
              .bucket = level * kSlots + static_cast<std::uint32_t>(slot % kSlots)};
    }
    return {.tick = std::numeric_limits<std::uint64_t>::max(), .bucket = 0};
  }

  void take_up(std::uint32_t bucket) {
    const Handle first = std::exchange(buckets_[bucket], kNullHandle);
    set_occupied(bucket, false);
    buckets_[kComingUp] = first;
    set_occupied(kComingUp, true);
    links(first).prev = kBucketBit | kComingUp;
  }

  void set_occupied(std::uint32_t bucket, bool occupied) {
    const std::uint64_t bit = std::uint64_t{1} << (bucket % kSlots);
    std::uint64_t& word = occupied_[bucket / kSlots];
    word = occupied ? word | bit : word & ~bit;
  }

  void link(Handle handle, std::uint32_t bucket) {
    WheelLinks& own = links(handle);
    own.prev = kBucketBit | bucket;
    own.next = std::exchange(buckets_[bucket], handle);
    if (own.next != kNullHandle) links(own.next).prev = handle;
    set_occupied(bucket, true);
  }

  void unlink(Handle handle) {
    WheelLinks& own = links(handle);
    if (own.next != kNullHandle) links(own.next).prev = own.prev;
    if ((own.prev & kBucketBit) == 0) {
      links(own.prev).next = own.next;
    } else {
      const std::uint32_t bucket = own.prev & ~kBucketBit;
      buckets_[bucket] = own.next;
      if (own.next == kNullHandle) set_occupied(bucket, false);
    }
    own = WheelLinks{};
  }

  Nodes* nodes_;
  std::int64_t origin_ns_;
  std::uint32_t tick_shift_;
  std::uint64_t now_ = 0;  ///< The last tick all of which has come up, or 0.
  std::size_t size_ = 0;
  std::array<std::uint64_t, kLevels + 1> occupied_{};  ///< One bit for each slot.
  std::array<Handle, kComingUp + 1> buckets_;
};

}  // namespace llm_edge_cache::engine
