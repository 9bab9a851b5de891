// Goes through a whole cache, L1 and then what L2 has beside it.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <unordered_set>
#include <vector>

#include "core/tiered_cache.hpp"

namespace llm_edge_cache::app {

// Tags' markers are left out, and entries whose tags were purged. Every key once, but for what
// TierWalk says. Memory: a page, and 32 bytes for each key of L1. One call at a time; the walk
// lives until the handler has run, the cache longer.
class CacheWalk : public std::enable_shared_from_this<CacheWalk> {
 public:
  using Handler = TierWalk::Handler;

  explicit CacheWalk(TieredCache& cache)
      : cache_(cache), l1_(cache.walk_l1()), l2_(cache.walk_l2()) {}

  // The next entries; none: the end. Calls back on any thread.
  void next(Handler handler);

 private:
  using Page = std::vector<KeyedEntry>;
  struct Hash {
    std::size_t operator()(const KeyDigest& key) const { return key.hash(); }
  };

  void ask();
  void ask_once();
  void take(Result<Page> page, bool is_l1);
  // Finishes with those whose tags stand.
  void confirm(Page page);
  void finish(Result<Page> page);

  TieredCache& cache_;
  std::shared_ptr<TierWalk> l1_;  // null once at its end
  std::shared_ptr<TierWalk> l2_;
  std::unordered_set<KeyDigest, Hash> seen_;
  Handler handler_;                   // of the call under way
  std::atomic<std::size_t> asks_{0};  // for pages: one that is being asked for, and those due
};

}  // namespace llm_edge_cache::app
