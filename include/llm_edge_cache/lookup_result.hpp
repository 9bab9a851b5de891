// What a lookup found, in the one vocabulary of code, logs, headers and metrics.
#pragma once

#include <memory>
#include <string_view>

#include "llm_edge_cache/cached_response.hpp"

namespace llm_edge_cache {

enum class LookupOutcome {
  kL1Hit,      // memory
  kL2Hit,      // the shared store
  kL3Hit,      // a question that means the same
  kCoalesced,  // another caller's flight answered
  kStale,      // past its life, served on purpose
  kMiss,       // nobody had it
  kBypass,     // not looked up
};

[[nodiscard]] constexpr std::string_view to_string(LookupOutcome outcome) {
  switch (outcome) {
    case LookupOutcome::kL1Hit:
      return "l1_hit";
    case LookupOutcome::kL2Hit:
      return "l2_hit";
    case LookupOutcome::kL3Hit:
      return "l3_hit";
    case LookupOutcome::kCoalesced:
      return "coalesced";
    case LookupOutcome::kStale:
      return "stale";
    case LookupOutcome::kMiss:
      return "miss";
    case LookupOutcome::kBypass:
      return "bypass";
  }
  return "miss";
}

// Cheap to copy; shares the stored response, which stays valid however long it is kept.
class CacheLookupResult {
 public:
  CacheLookupResult() = default;  // a miss
  CacheLookupResult(LookupOutcome outcome, std::shared_ptr<const CachedResponse> response)
      : outcome_(outcome), response_(std::move(response)) {}

  [[nodiscard]] LookupOutcome outcome() const { return outcome_; }
  [[nodiscard]] bool is_hit() const { return response_ != nullptr; }
  // Null on a miss.
  [[nodiscard]] const std::shared_ptr<const CachedResponse>& response() const { return response_; }

 private:
  LookupOutcome outcome_ = LookupOutcome::kMiss;
  std::shared_ptr<const CachedResponse> response_;
};

}  // namespace llm_edge_cache
