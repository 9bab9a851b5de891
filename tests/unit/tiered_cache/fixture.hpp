// A TieredCache over real memory and a lower tier that the test holds.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <utility>

#include "core/tiered_cache.hpp"
#include "llm_edge_cache/clock.hpp"
#include "tests/support/entries.hpp"
#include "tests/unit/tiered_cache/held_tier.hpp"
#include "tiers/memory/memory_tier.hpp"

namespace llm_edge_cache::test {

class TieredCacheTest : public ::testing::Test {
 protected:
  // Completed while it holds a value.
  template <class T>
  struct Outcome {
    std::optional<T> value;
    auto handler() {
      return [this](T result) {
        ASSERT_FALSE(value.has_value()) << "a handler ran twice";
        value = std::move(result);
      };
    }
  };

  [[nodiscard]] EntryPtr fresh_for(std::int64_t life_ms, std::string content = "answer") const {
    return entry_of(std::move(content), {.expires_ms = clock->now_ms() + life_ms});
  }
  [[nodiscard]] EntryPtr stale_for(std::int64_t rest_ms, std::int64_t expired_ms_ago = 1) const {
    return entry_of("stale", {.expires_ms = clock->now_ms() - expired_ms_ago,
                              .stale_until_ms = clock->now_ms() + rest_ms});
  }
  LookedUp looked_up(const KeyDigest& wanted) {
    Outcome<LookedUp> outcome;
    cache.lookup(wanted, outcome.handler());
    l2.release_all();
    return outcome.value.value();
  }

  const std::shared_ptr<ManualClock> clock = std::make_shared<ManualClock>();
  std::unique_ptr<HeldTier> owned_l2 = std::make_unique<HeldTier>();
  HeldTier& l2 = *owned_l2;
  TieredCache cache{std::make_unique<MemoryTier>(L1Config{}, clock), std::move(owned_l2), clock};
  const KeyDigest key = key_of(1);
};

}  // namespace llm_edge_cache::test
