// A tier under test on a real folder, with calls that wait for their answer.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <memory>
#include <random>
#include <string>
#include <utility>

#include "tests/unit/tiers/live_tier_of.hpp"
#include "tiers/disk/disk_tier.hpp"

namespace llm_edge_cache::disk {

// Tries again quickly, and leaves a busy machine all the time it needs.
inline L2Config config_of(const std::filesystem::path& folder) {
  return {.url = "disk:" + folder.string(),
          .connect_timeout_ms = 20'000,
          .operation_timeout_ms = 20'000,
          .shutdown_flush_ms = 20'000,
          .breaker_open_ms = 50,
          .reconnect_min_ms = 5,
          .reconnect_max_ms = 20,
          .disk_max_bytes = 64U << 20U};
}

// Does not compress, so that the folder grows as a test wants it.
inline std::string noise(std::uint64_t seed, std::size_t size) {
  std::mt19937_64 random(seed);
  std::string bytes(size, '\0');
  for (std::size_t at = 0; at < size; at += sizeof(std::uint64_t)) {
    const std::uint64_t word = random();
    std::memcpy(&bytes[at], &word, std::min(sizeof word, size - at));
  }
  return bytes;
}

class LiveTier : public LiveTierOf<DiskTier> {
 public:
  explicit LiveTier(const L2Config& config, ClockPtr clock = std::make_shared<SystemClock>(),
                    std::shared_ptr<rocksdb::FileSystem> file_system = nullptr)
      : LiveTierOf(std::move(clock), [&](ClockPtr tier_clock, TierEventSink sink) {
          return DiskTier::create(
              config, std::move(tier_clock),
              {.on_event = std::move(sink), .file_system = std::move(file_system)});
        }) {}
};

}  // namespace llm_edge_cache::disk
