// What a replacement policy keeps inside each cached node, and what it may ask of the store of
// nodes.
//
// The engine owns the nodes (a slab); a policy only threads lists through them by index. No type
// here is thread-safe: every call runs under the engine's maintenance lock.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>

namespace llm_edge_cache::engine {

/// Index of a node in the engine's slab.
using Handle = std::uint32_t;
inline constexpr Handle kNullHandle = std::numeric_limits<Handle>::max();

/// The list a node is threaded on.
enum class Segment : std::uint8_t { kNone, kWindow, kProbation, kProtected };

/// The policy's share of a node. The engine default-constructs it and never writes it afterwards.
struct PolicyLinks {
  Handle prev = kNullHandle;
  Handle next = kNullHandle;
  Segment segment = Segment::kNone;
};
static_assert(sizeof(PolicyLinks) <= 12);

/// The store of nodes as a policy sees it. `hash` and `weight` must not change while a node is
/// known to the policy, except that a new weight is announced by `on_weight_change`.
template <class Nodes>
concept PolicyNodes = requires(Nodes nodes, Handle handle) {
  { nodes.links(handle) } -> std::same_as<PolicyLinks&>;
  { nodes.hash(handle) } -> std::convertible_to<std::uint64_t>;
  { nodes.weight(handle) } -> std::convertible_to<std::uint32_t>;
};

inline constexpr std::uint64_t kUnbounded = std::numeric_limits<std::uint64_t>::max();

/// Both bounds hold exactly after `evict`. A bound of 0 lets nothing stay (for weight: nothing that
/// weighs more than 0).
struct PolicyBounds {
  std::uint64_t max_entries = kUnbounded;
  std::uint64_t max_weight_bytes = kUnbounded;
};

struct PolicyOptions {
  PolicyBounds bounds;
  /// Drives the sketch's hashing and the random escape: same seed and calls, same evictions.
  std::uint64_t seed = 0;
  /// Index into kStrategies to stay with; adapts when empty. Ignored by LruPolicy.
  std::optional<std::uint32_t> fixed_strategy = std::nullopt;
};

struct PolicyStatistics {
  double window_fraction = 0;     ///< Share of the capacity that new entries get without a test.
  double protected_fraction = 0;  ///< Share of the rest that is kept for entries used again.
  std::uint64_t admissions = 0;   ///< Candidates that displaced a victim.
  std::uint64_t refusals = 0;     ///< Candidates evicted because their victims were worth more.
  std::uint64_t adaptations = 0;  ///< Times the shares above were changed.
};

}  // namespace llm_edge_cache::engine
