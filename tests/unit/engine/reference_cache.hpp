// What a cache with LRU policy does, written as plainly as possible.
#pragma once

#include <algorithm>
#include <cstdint>
#include <list>
#include <optional>
#include <vector>

#include "llm_edge_cache/engine/clock.hpp"
#include "llm_edge_cache/engine/options.hpp"

namespace llm_edge_cache::engine {

class ReferenceCache {
 public:
  struct Entry {
    int key;
    int value;
    std::uint32_t weight;
    std::int64_t expires_ns;
    std::int64_t accessed_ns;
  };
  struct Departure {
    int key;
    int value;
    RemovalCause cause;
    friend auto operator<=>(const Departure&, const Departure&) = default;
  };

  explicit ReferenceCache(const CacheOptions& options) : options_(options) {}

  std::optional<int> get(int key, std::int64_t now_ns) {
    const auto at = find(key);
    const bool hit = at != entries_.end() && deadline(*at) > now_ns;
    hit ? ++hits : ++misses;
    std::optional<int> value;
    if (hit) {
      at->accessed_ns = now_ns;
      value = at->value;
      entries_.splice(entries_.begin(), entries_, at);
    }
    expire(now_ns);
    return value;
  }

  void put(int key, int value, std::uint32_t weight, std::optional<std::int64_t> ttl_ns,
           std::int64_t now_ns) {
    if (options_.time_to_live && !ttl_ns) ttl_ns = options_.time_to_live->count();
    const auto old = find(key);
    if (old != entries_.end()) {
      depart(old, deadline(*old) > now_ns ? RemovalCause::kReplaced : RemovalCause::kExpired);
    }
    const Entry entry{key, value, weight, ttl_ns ? now_ns + *ttl_ns : kNeverNs, now_ns};
    entries_.insert(weight > options_.max_weight_bytes ? entries_.end() : entries_.begin(), entry);
    expire(now_ns);
    evict();
  }

  bool remove(int key, std::int64_t now_ns) {
    const auto at = find(key);
    if (at == entries_.end()) return false;
    const bool live = deadline(*at) > now_ns;
    depart(at, live ? RemovalCause::kRemoved : RemovalCause::kExpired);
    return live;
  }

  template <class Predicate>
  std::size_t remove_if(Predicate&& predicate, std::int64_t now_ns) {
    std::size_t removed = 0;
    for (auto at = entries_.begin(); at != entries_.end();) {
      const auto next = std::next(at);
      if (deadline(*at) > now_ns && predicate(at->key, at->value)) {
        depart(at, RemovalCause::kRemoved);
        ++removed;
      }
      at = next;
    }
    return removed;
  }

  void resize(std::uint64_t max_entries, std::uint64_t max_weight_bytes) {
    options_.max_entries = max_entries;
    options_.max_weight_bytes = max_weight_bytes;
    evict();
  }

  /// Removes what another policy evicted; false if it is not there.
  bool evicted(int key, int value) {
    const auto at = find(key);
    if (at == entries_.end() || at->value != value) return false;
    depart(at, RemovalCause::kSize);
    return true;
  }

  void expire(std::int64_t now_ns) {
    for (auto at = entries_.begin(); at != entries_.end();) {
      const auto next = std::next(at);
      if (deadline(*at) <= now_ns) depart(at, RemovalCause::kExpired);
      at = next;
    }
  }

  [[nodiscard]] std::uint64_t weight() const {
    std::uint64_t sum = 0;
    for (const Entry& entry : entries_) sum += entry.weight;
    return sum;
  }
  /// Most recently used first.
  [[nodiscard]] const std::list<Entry>& entries() const { return entries_; }

  std::vector<Departure> departures;
  std::uint64_t hits = 0;
  std::uint64_t misses = 0;

 private:
  using At = std::list<Entry>::iterator;

  At find(int key) {
    return std::find_if(entries_.begin(), entries_.end(),
                        [key](const Entry& entry) { return entry.key == key; });
  }

  [[nodiscard]] std::int64_t deadline(const Entry& entry) const {
    if (!options_.time_to_idle) return entry.expires_ns;
    return std::min(entry.expires_ns, entry.accessed_ns + options_.time_to_idle->count());
  }

  void evict() {
    while (entries_.size() > options_.max_entries || weight() > options_.max_weight_bytes) {
      depart(std::prev(entries_.end()), RemovalCause::kSize);
    }
  }

  void depart(At at, RemovalCause cause) {
    departures.push_back({at->key, at->value, cause});
    entries_.erase(at);
  }

  CacheOptions options_;
  std::list<Entry> entries_;
};

}  // namespace llm_edge_cache::engine
