// The tiers that the conformance suite runs over.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/tier.hpp"
#include "llm_edge_cache/clock.hpp"

namespace llm_edge_cache::test {

// Makes tiers of one kind, empty and independent of each other, with room for what the suite
// stores: 10,000 entries and 64 MiB.
class TierFactory {
 public:
  virtual ~TierFactory() = default;
  [[nodiscard]] virtual std::string name() const = 0;
  [[nodiscard]] virtual std::unique_ptr<Tier> make(ClockPtr clock) const = 0;
};

using TierFactoryPtr = std::shared_ptr<const TierFactory>;

[[nodiscard]] std::vector<TierFactoryPtr> all_tiers();

}  // namespace llm_edge_cache::test
