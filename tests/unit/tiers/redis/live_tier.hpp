// A tier under test on a real server.
#pragma once

#include <gtest/gtest.h>

#include "tests/unit/tiers/live_tier_of.hpp"
#include "tiers/redis/redis_tier.hpp"

namespace llm_edge_cache::redis {

class LiveTier : public LiveTierOf<RedisTier> {
 public:
  explicit LiveTier(const L2Config& config, std::uint64_t scan_timeout_ms = 30'000)
      : LiveTierOf(std::make_shared<SystemClock>(), [&](ClockPtr clock, TierEventSink sink) {
          return RedisTier::create(
              config, std::move(clock),
              {.on_event = std::move(sink), .scan_timeout_ms = scan_timeout_ms});
        }) {}
};

}  // namespace llm_edge_cache::redis
