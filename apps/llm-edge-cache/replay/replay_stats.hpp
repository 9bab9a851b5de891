// What a replay adds up to.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "llm_edge_cache/lookup_result.hpp"

namespace llm_edge_cache::app {

struct LatencyPercentiles {
  std::size_t count = 0;
  std::uint32_t p50 = 0;
  std::uint32_t p90 = 0;
  std::uint32_t p99 = 0;
  std::uint32_t max = 0;
};

// Nearest rank: the smallest value that at least that share of the values does not exceed.
[[nodiscard]] LatencyPercentiles percentiles(std::vector<std::uint32_t> latencies_us);

// Not thread-safe. Holds four bytes per answer.
class ReplayStats {
 public:
  // Nothing for an answer without a Cache-Status of ours: it did not come through the proxy.
  void add_answer(std::optional<LookupOutcome> outcome, std::uint32_t latency_us);
  // kind: "status_500", "connect", ...
  void add_error(const std::string& kind);
  void add_mismatch() { ++mismatches_; }
  void add_tokens_saved(std::uint64_t tokens) { tokens_saved_ += tokens; }

  [[nodiscard]] std::size_t requests() const { return answers_ + errors_; }
  [[nodiscard]] std::size_t errors() const { return errors_; }
  [[nodiscard]] std::size_t mismatches() const { return mismatches_; }
  [[nodiscard]] std::uint64_t tokens_saved() const { return tokens_saved_; }
  [[nodiscard]] const std::map<std::string, std::size_t>& errors_by_kind() const {
    return errors_by_kind_;
  }

  // Answers by outcome; "no_cache_status" for those without.
  [[nodiscard]] std::size_t count(LookupOutcome outcome) const;
  // Answers that a tier gave: l1, l2, l3 and stale. One that joined another's call is no hit.
  [[nodiscard]] std::size_t hits() const;
  // Hits over all requests, failed ones included.
  [[nodiscard]] double hit_ratio() const;
  // By outcome; only those that occurred.
  [[nodiscard]] std::map<std::string, LatencyPercentiles> latency_us() const;

 private:
  static constexpr std::size_t kOutcomes = static_cast<std::size_t>(LookupOutcome::kBypass) + 1;
  static constexpr std::size_t kUnknown = kOutcomes;

  std::array<std::vector<std::uint32_t>, kOutcomes + 1> latencies_us_;
  std::map<std::string, std::size_t> errors_by_kind_;
  std::size_t answers_ = 0;
  std::size_t errors_ = 0;
  std::size_t mismatches_ = 0;
  std::uint64_t tokens_saved_ = 0;
};

// True where the outcome is an answer of a tier.
[[nodiscard]] bool is_hit(LookupOutcome outcome);

}  // namespace llm_edge_cache::app
