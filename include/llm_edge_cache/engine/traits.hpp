// What a cache is a template over. Derive from CacheTraits and replace what differs.
#pragma once

#include <cstdint>
#include <functional>

#include "llm_edge_cache/engine/clock.hpp"
#include "llm_edge_cache/engine/policy/lru_policy.hpp"
#include "llm_edge_cache/engine/policy/tiny_lfu_policy.hpp"
#include "llm_edge_cache/engine/sync.hpp"

namespace llm_edge_cache::engine {

/// Weighs every entry 1, so that a bound by weight is one by entries.
struct UnitWeigher {
  template <class Key, class Value>
  std::uint32_t operator()(const Key& /*key*/, const Value& /*value*/) const {
    return 1;
  }
};

template <class Key, class Value>
struct CacheTraits {
  using Hash = std::hash<Key>;  ///< Need not be good: the engine mixes and seeds it.
  using Equal = std::equal_to<Key>;
  using Weigher = UnitWeigher;  ///< `weigher(key, value)`; what is over 2^32 - 1 counts as that.
  using Clock = SteadyClock;
  using Sync = ProductSync;
  template <class Nodes>
  using Policy = TinyLfuPolicy<Nodes>;
};

/// Least recently used instead of W-TinyLFU.
template <class Key, class Value>
struct LruCacheTraits : CacheTraits<Key, Value> {
  template <class Nodes>
  using Policy = LruPolicy<Nodes>;
};

}  // namespace llm_edge_cache::engine
