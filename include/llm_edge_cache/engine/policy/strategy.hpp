// The ways of evicting that the adaptive policy chooses from.
#pragma once

#include <array>
#include <cstdint>

#include "llm_edge_cache/engine/policy/frequency_sketch.hpp"

namespace llm_edge_cache::engine {

/// One setting of a cache made of an LRU window and a segmented main space behind an admission
/// test.
struct Strategy {
  /// Share of the capacity that new entries get without a test; 1 makes the cache plain LRU.
  double window;
  /// Share of the main space kept for entries that were used again while in it.
  double protect;
  /// How many of a victim's past uses count against a candidate's. At the maximum the two are
  /// compared as in TinyLFU, right where popularity lasts. At 0 a candidate gets in when it was
  /// used before, as in 2Q or S3-FIFO (the sketch stands for their ghost lists), right where it
  /// drifts.
  std::uint32_t victim_credit;
};

inline constexpr double kProtectedShare = 0.8;
inline constexpr std::uint32_t kFullCredit = FrequencySketch::kMaxFrequency;

/// Few, and far apart: more of them cost time and were not worth more hits (docs/decisions).
inline constexpr std::array<Strategy, 6> kStrategies{{
    {.window = 0.01, .protect = kProtectedShare, .victim_credit = kFullCredit},
    {.window = 0.1, .protect = kProtectedShare, .victim_credit = kFullCredit},
    {.window = 0.4, .protect = kProtectedShare, .victim_credit = kFullCredit},
    {.window = 1.0, .protect = kProtectedShare, .victim_credit = kFullCredit},
    {.window = 0.1, .protect = kProtectedShare, .victim_credit = 0},
    {.window = 0.4, .protect = kProtectedShare, .victim_credit = 0},
}};
inline constexpr std::uint32_t kStrategyCount = kStrategies.size();
/// Where a cache starts: the least regret in both directions.
inline constexpr std::uint32_t kFirstStrategy = 1;

/// A candidate's worth: its uses before the one that brought it here. Its victim's next use is yet
/// to come, so without the deduction a loop larger than the cache would replace its entries for
/// ever.
constexpr std::uint32_t candidate_worth(std::uint32_t frequency) {
  return frequency == 0 ? 0 : frequency - 1;
}

/// A victim that refused this many candidates in a row without being used is suspect: it may have
/// been made to collide in the sketch with a key that is hot.
inline constexpr std::uint32_t kVictimPatience = 64;

}  // namespace llm_edge_cache::engine
