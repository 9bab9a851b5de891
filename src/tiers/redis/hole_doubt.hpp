// Whether to believe a node of a cluster that knows of no server for some slots.
#pragma once

#include <chrono>
#include <optional>

#include "tiers/redis/slot_map.hpp"

namespace llm_edge_cache::redis {

// While a replica takes over, a node that has heard of the old primary's end and not yet of the new
// one's beginning tells of a hole. For a moment what was known before is the better map: the old
// primary sends on to the new one. A hole that stays is believed. Not thread-safe.
class HoleDoubt {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;
  static constexpr std::chrono::milliseconds kPatience{1'000};

  // True where another node should be asked before `fresh` takes the place of `known`.
  [[nodiscard]] bool doubts(const SlotMap& known, const SlotMap& fresh, TimePoint now) {
    if (fresh.covers_all() || !known.covers_all()) {
      since_.reset();
      return false;
    }
    if (!since_) since_ = now;
    return now - *since_ < kPatience;
  }

 private:
  std::optional<TimePoint> since_;
};

}  // namespace llm_edge_cache::redis
