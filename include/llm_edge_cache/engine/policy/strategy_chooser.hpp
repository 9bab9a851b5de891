// Which strategy to follow, from what each would have hit.
//
// Shadow caches give full information, so nothing has to be tried out: this follows the leader over
// a fading horizon (Herbster and Warmuth, "Tracking the best expert", Machine Learning 1998, is the
// general setting). Two tests keep it from chasing noise. Only uses that one strategy would have
// hit and the other missed are evidence (McNemar's test on paired samples). And the lead must repay
// the move, because the entries that the old strategy would have kept are gone at first.
#pragma once

#include <array>
#include <bit>
#include <cmath>
#include <cstdint>

#include "llm_edge_cache/engine/policy/shadow_caches.hpp"
#include "llm_edge_cache/engine/policy/strategy.hpp"

namespace llm_edge_cache::engine {

/// Not thread-safe. Time is counted in turnovers: as many sampled uses as a shadow has entries.
class StrategyChooser {
 public:
  /// Index into kStrategies.
  [[nodiscard]] std::uint32_t current() const { return current_; }
  [[nodiscard]] std::uint64_t changes() const { return changes_; }

  /// Records under which strategies a sampled use would have been a hit. Returns true when the
  /// choice changed.
  bool observe(StrategySet hits, std::uint32_t shadow_entries) {
    count(hits);
    if (++uses_ * kDecisionsPerTurnover < shadow_entries) return false;
    uses_ = 0;
    const bool changed = decide(kSwitchCostTurnovers * static_cast<float>(shadow_entries));
    fade();
    return changed;
  }

 private:
  static constexpr std::uint32_t kDecisionsPerTurnover = 8;
  static constexpr float kHorizonTurnovers = 4;
  static constexpr float kSwitchCostTurnovers = 0.05F;
  static constexpr float kStandardDeviations = 2;

  void count(StrategySet hits) {
    if (hits == 0 || hits == kAllStrategies) return;
    for (StrategySet h = hits; h != 0; h &= h - 1) {
      auto& wins = wins_[std::countr_zero(h)];
      for (StrategySet m = kAllStrategies & ~hits; m != 0; m &= m - 1) {
        wins[std::countr_zero(m)] += 1;
      }
    }
  }

  bool decide(float least_lead) {
    const std::uint32_t before = current_;
    float best_lead = least_lead;
    for (std::uint32_t s = 0; s < kStrategyCount; ++s) {
      const float won = wins_[s][before];
      const float lost = wins_[before][s];
      if (won - lost > best_lead && won - lost > kStandardDeviations * std::sqrt(won + lost)) {
        current_ = s;
        best_lead = won - lost;
      }
    }
    changes_ += current_ != before ? 1 : 0;
    return current_ != before;
  }

  void fade() {
    constexpr float kKeep = 1 - 1 / (kDecisionsPerTurnover * kHorizonTurnovers);
    for (auto& row : wins_) {
      for (float& wins : row) wins *= kKeep;
    }
  }

  /// wins_[a][b]: uses that a would have hit and b missed.
  std::array<std::array<float, kStrategyCount>, kStrategyCount> wins_{};
  std::uint32_t uses_ = 0;
  std::uint32_t current_ = kFirstStrategy;
  std::uint64_t changes_ = 0;
};

}  // namespace llm_edge_cache::engine
