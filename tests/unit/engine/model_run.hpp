// Drives a cache and the reference by the same steps, which come from bytes, and compares them
// after each. A difference throws std::logic_error.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

#include "llm_edge_cache/engine/cache.hpp"
#include "tests/unit/engine/reference_cache.hpp"

namespace llm_edge_cache::engine {

struct ModelTraits : CacheTraits<int, int> {
  using Clock = ManualClock;
};
struct ModelLruTraits : ModelTraits {
  template <class Nodes>
  using Policy = LruPolicy<Nodes>;
};

/// With LRU the cache must do exactly as the reference does. With another policy it may evict other
/// entries, and the reference is told which.
template <class Traits>
class ModelRun {
 public:
  explicit ModelRun(std::span<const std::uint8_t> bytes)
      : bytes_(bytes),
        options_(options()),
        model_(model_options(options_)),
        cache_(options_,
               {.listener = [this](int key, int value,
                                   RemovalCause cause) { told_.push_back({key, value, cause}); },
                .clock = ManualClock(now_ns_)}) {}

  void run() {
    while (!bytes_.empty()) {
      step();
      cache_.run_maintenance();
      model_.expire(now_ns_);
      compare();
    }
  }

 private:
  using TestCache = Cache<int, int, Traits>;
  using Departure = ReferenceCache::Departure;
  static constexpr bool kExact = std::is_same_v<Traits, ModelLruTraits>;
  static constexpr int kKeys = 16;

  std::uint32_t next() {
    if (bytes_.empty()) return 0;
    const std::uint8_t byte = bytes_.front();
    bytes_ = bytes_.subspan(1);
    return byte;
  }

  CacheOptions options() {
    CacheOptions options;
    options.maintenance = MaintenanceMode::kInline;
    options.timer_tick = std::chrono::nanoseconds(1);
    options.max_entries = next() % 20;
    options.max_weight_bytes = next() % 4 == 0 ? kUnbounded : next();
    if (const auto ttl = next() % 64; ttl != 0)
      options.time_to_live = std::chrono::nanoseconds(ttl);
    if (const auto tti = next() % 64; tti != 0)
      options.time_to_idle = std::chrono::nanoseconds(tti);
    return options;
  }

  void step() {
    const std::uint32_t operation = next() % 16;
    const int key = static_cast<int>(next() % kKeys);
    switch (operation) {
      case 0:
      case 1:
      case 2:
      case 3:
      case 4:
        return put(key);
      case 5:
      case 6:
      case 7:
      case 8:
      case 9:
        return same(cache_.get(key), model_.get(key, now_ns_), "get");
      case 10:
        return same(cache_.remove(key), model_.remove(key, now_ns_), "remove");
      case 11:
        return remove_if(key);
      case 12:
        return resize();
      default:
        now_ns_ += next() % 32 == 0 ? 1'000'000 : key;
    }
  }

  void put(int key) {
    PutOptions put_options;
    const std::uint32_t shape = next();
    put_options.weight = shape % 32;
    if (shape >= 128) put_options.time_to_live = std::chrono::nanoseconds(next());
    const int value = ++last_value_;
    cache_.put(key, value, put_options);
    std::optional<std::int64_t> ttl;
    if (put_options.time_to_live) ttl = put_options.time_to_live->count();
    model_.put(key, value, *put_options.weight, ttl, now_ns_);
  }

  void remove_if(int modulus) {
    const auto predicate = [modulus](int key, int) { return key % 4 == modulus % 4; };
    same(cache_.remove_if(predicate), model_.remove_if(predicate, now_ns_), "remove_if");
  }

  void resize() {
    options_.max_entries = next() % 20;
    options_.max_weight_bytes = next();
    cache_.resize(options_.max_entries, options_.max_weight_bytes);
    if (kExact) model_.resize(options_.max_entries, options_.max_weight_bytes);
  }

  /// The reference of another policy than LRU has no bounds of its own.
  static CacheOptions model_options(CacheOptions options) {
    if (!kExact) options.max_entries = options.max_weight_bytes = kUnbounded;
    return options;
  }

  void absorb_evictions() {
    for (const Departure& departure : told_) {
      if (departure.cause != RemovalCause::kSize) continue;
      same(model_.evicted(departure.key, departure.value), true, "what was evicted");
    }
  }

  void compare() {
    if (!kExact) absorb_evictions();
    same(cache_.validate(), true, "validate");
    same(cache_.size(), std::uint64_t{model_.entries().size()}, "size");
    same(cache_.weight(), model_.weight(), "weight");
    same(cache_.size() <= options_.max_entries, true, "bound of entries");
    same(cache_.weight() <= options_.max_weight_bytes, true, "bound of weight");
    compare_contents();
    if (kExact) compare_order();
    compare_departures();
    const CacheStatistics statistics = cache_.statistics();
    same(statistics.hits, model_.hits, "hits");
    same(statistics.misses, model_.misses, "misses");
  }

  void compare_contents() {
    std::map<int, int> actual;
    cache_.for_each([&](int key, int value) { actual.emplace(key, value); });
    std::map<int, int> expected;
    for (const auto& entry : model_.entries()) expected.emplace(entry.key, entry.value);
    same(actual, expected, "contents");
  }

  void compare_order() {
    std::vector<int> order;
    for (const auto& entry : model_.entries()) order.push_back(entry.key);
    same(cache_.hottest(kKeys), order, "order of use");
  }

  /// Those expired at one time may come in any order.
  void compare_departures() {
    const auto by_size = [](const std::vector<Departure>& all) {
      std::vector<Departure> some;
      std::copy_if(all.begin(), all.end(), std::back_inserter(some),
                   [](const Departure& one) { return one.cause == RemovalCause::kSize; });
      return some;
    };
    same(by_size(told_), by_size(model_.departures), "order of evictions");
    std::sort(told_.begin(), told_.end());
    std::sort(model_.departures.begin(), model_.departures.end());
    same(told_, model_.departures, "departures");
    told_.clear();
    model_.departures.clear();
  }

  void same(const auto& actual, const auto& expected, const std::string& what) {
    if (actual != expected) throw std::logic_error("cache and reference differ: " + what);
  }

  std::span<const std::uint8_t> bytes_;
  std::atomic<std::int64_t> now_ns_{1000};
  std::vector<Departure> told_;
  int last_value_ = 0;
  CacheOptions options_;
  ReferenceCache model_;
  TestCache cache_;
};

}  // namespace llm_edge_cache::engine
