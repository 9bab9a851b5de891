// How a cache is set up, what a put may say, and what a cache tells about itself.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <stdexcept>

#include "llm_edge_cache/engine/policy/node_links.hpp"

namespace llm_edge_cache::engine {

/// Why a value left the cache.
enum class RemovalCause : std::uint8_t {
  kSize,      ///< Evicted, or never admitted, because of a bound.
  kExpired,   ///< Its time to live or time to idle had passed.
  kReplaced,  ///< Another value was put under its key.
  kRemoved,   ///< remove, remove_if or clear.
};
inline constexpr std::size_t kRemovalCauses = 4;

/// Who drains the queues and expires entries.
enum class MaintenanceMode : std::uint8_t {
  kJanitor,  ///< A thread of the cache, every `janitor_period`; writers help when a queue is full.
  kCallers,  ///< Writers, and whoever calls run_maintenance. Every read asks the exact clock.
  kInline,   ///< Every call, before it returns: deterministic. For simulations and tests.
};

struct CacheOptions {
  std::uint64_t max_entries = kUnbounded;
  std::uint64_t max_weight_bytes = kUnbounded;  ///< In units of the weigher.
  /// For entries whose put names none. Unset: no expiry.
  std::optional<std::chrono::nanoseconds> time_to_live = std::nullopt;
  /// Since the last read or the put. Unset: no expiry by idleness.
  std::optional<std::chrono::nanoseconds> time_to_idle = std::nullopt;
  MaintenanceMode maintenance = MaintenanceMode::kJanitor;
  std::chrono::nanoseconds janitor_period = std::chrono::milliseconds(10);
  /// How late the wheel may notice an expiry; a read notices it at once. Rounded down to a power of
  /// two nanoseconds.
  std::chrono::nanoseconds timer_tick = std::chrono::milliseconds(68);
  /// Sizes the sharding of the index; unset: derived from the bounds.
  std::optional<std::uint64_t> expected_entries = std::nullopt;
  /// Of hashing and of the policy's random choices. Fixed, so that runs repeat; where strangers
  /// choose the keys, pass a random one, or they can flood the cache.
  std::uint64_t seed = 0x9E3779B97F4A7C15U;

  /// Throws std::invalid_argument that names the field.
  void validate() const {
    const auto positive = [](const auto& duration, const char* message) {
      if (duration <= std::chrono::nanoseconds::zero()) throw std::invalid_argument(message);
    };
    if (time_to_live) positive(*time_to_live, "time_to_live must be positive");
    if (time_to_idle) positive(*time_to_idle, "time_to_idle must be positive");
    positive(janitor_period, "janitor_period must be positive");
    positive(timer_tick, "timer_tick must be positive");
  }
};

struct PutOptions {
  /// Instead of the cache's time to live. Zero or negative: expired at once, so nothing is kept.
  std::optional<std::chrono::nanoseconds> time_to_live = std::nullopt;
  /// Instead of what the weigher says.
  std::optional<std::uint32_t> weight = std::nullopt;
};

/// Counted since the cache was made, except the gauges.
struct CacheStatistics {
  std::uint64_t hits = 0;
  std::uint64_t misses = 0;
  std::uint64_t removals[kRemovalCauses] = {};        ///< Indexed by RemovalCause.
  std::uint64_t removed_weight[kRemovalCauses] = {};  ///< Indexed by RemovalCause.
  std::uint64_t admissions_refused = 0;               ///< Part of the removals by size.
  std::uint64_t read_events_lost = 0;                 ///< Hits and misses the policy never saw.
  std::chrono::nanoseconds mean_life{0};              ///< Of the entries that left.
  double window_fraction = 0;                         ///< Gauge.
  std::uint64_t deferred_entries = 0;                 ///< Gauge: left, not yet reclaimed.
  std::uint64_t deferred_weight = 0;                  ///< Gauge: their weight.

  [[nodiscard]] std::uint64_t removals_by(RemovalCause cause) const {
    return removals[static_cast<std::size_t>(cause)];
  }
};

}  // namespace llm_edge_cache::engine
