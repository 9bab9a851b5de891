// oneTBB's concurrent hash map: no eviction, no expiry.
#pragma once

#include <oneapi/tbb/concurrent_hash_map.h>

#include "workload.hpp"

namespace bench {

template <class Payload>
class TbbEngine {
 public:
  static constexpr const char* kName = "tbb";
  using Key = typename Payload::Key;
  using Value = typename Payload::Value;

  TbbEngine(std::size_t, std::uint64_t) {}

  [[gnu::always_inline]] bool get(const Key& key, std::uint64_t& sum) {
    typename Map::const_accessor found;
    if (!map_.find(found, key)) return false;
    sum += Payload::touch(found->second);
    return true;
  }
  // Apart, so that the loop of reads around it keeps its counters in registers.
  [[gnu::noinline]] void put(const Key& key, Value value) {
    typename Map::accessor slot;
    map_.insert(slot, key);
    slot->second = std::move(value);
  }
  std::size_t entries() { return map_.size(); }

 private:
  struct Compare {
    static std::size_t hash(const Key& key) { return Payload::hash(key); }
    static bool equal(const Key& left, const Key& right) { return left == right; }
  };
  using Map = oneapi::tbb::concurrent_hash_map<Key, Value, Compare>;
  Map map_;
};

}  // namespace bench
