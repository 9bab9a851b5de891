// A flat hash map under one mutex: no eviction, no expiry. What one would write first.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <mutex>

#include "workload.hpp"

namespace bench {

template <class Payload>
class FlatMapEngine {
 public:
  static constexpr const char* kName = "flat_map_mutex";
  using Key = typename Payload::Key;
  using Value = typename Payload::Value;

  FlatMapEngine(std::size_t, std::uint64_t) {}

  [[gnu::always_inline]] bool get(const Key& key, std::uint64_t& sum) {
    Value value;
    {
      const std::lock_guard lock(mutex_);
      const auto found = map_.find(key);
      if (found == map_.end()) return false;
      value = found->second;
    }
    sum += Payload::touch(value);
    return true;
  }
  // Apart, so that the loop of reads around it keeps its counters in registers.
  [[gnu::noinline]] void put(const Key& key, Value value) {
    const std::lock_guard lock(mutex_);
    map_.insert_or_assign(key, std::move(value));
  }
  std::size_t entries() { return map_.size(); }

 private:
  std::mutex mutex_;
  boost::unordered_flat_map<Key, Value, Hash<Payload>> map_;
};

}  // namespace bench
