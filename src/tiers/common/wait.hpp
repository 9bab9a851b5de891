// Durations from a configuration.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace llm_edge_cache {

inline constexpr std::uint64_t kMaxWaitMs = 24ULL * 3'600 * 1'000;

// They are added to the clock's time, which must not overflow: a day at most.
[[nodiscard]] inline std::chrono::milliseconds wait_of(std::uint64_t ms) {
  return std::chrono::milliseconds(static_cast<std::int64_t>(std::min(ms, kMaxWaitMs)));
}

}  // namespace llm_edge_cache
