// llm-edge-cache's engine, as its defaults set it up.
#pragma once

#include <chrono>
#include <type_traits>

#include "llm_edge_cache/engine/cache.hpp"
#include "workload.hpp"

namespace bench {

template <class Payload>
class OwnEngine {
 public:
  static constexpr const char* kName = "llm_edge_cache";
  using Key = typename Payload::Key;
  using Value = typename Payload::Value;

  OwnEngine(std::size_t capacity, std::uint64_t ttl_ms) : cache_(options(capacity, ttl_ms)) {}

  [[gnu::always_inline]] bool get(const Key& key, std::uint64_t& sum) {
    if constexpr (std::is_trivially_copyable_v<Value>) {
      const auto value = cache_.get(key);
      if (value) sum += Payload::touch(*value);
      return value.has_value();
    } else {
      return cache_.with(key, [&](const Value& value) { sum += Payload::touch(value); });
    }
  }
  // Apart, so that the loop of reads around it keeps its counters in registers.
  [[gnu::noinline]] void put(const Key& key, Value value) { cache_.put(key, std::move(value)); }
  std::size_t entries() { return cache_.size(); }

 private:
  // Numbers have the default, std::hash, which the engine mixes itself; arrays have none.
  struct DigestTraits : llm_edge_cache::engine::CacheTraits<Key, Value> {
    using Hash = bench::Hash<Payload>;
  };
  using Traits = std::conditional_t<std::is_integral_v<Key>,
                                    llm_edge_cache::engine::CacheTraits<Key, Value>, DigestTraits>;

  static llm_edge_cache::engine::CacheOptions options(std::size_t capacity, std::uint64_t ttl_ms) {
    llm_edge_cache::engine::CacheOptions options{.max_entries = capacity};
    if (ttl_ms != 0) options.time_to_live = std::chrono::milliseconds(ttl_ms);
    return options;
  }

  llm_edge_cache::engine::Cache<Key, Value, Traits> cache_;
};

}  // namespace bench
