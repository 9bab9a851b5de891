#include "core/removal_watch.hpp"

namespace llm_edge_cache {

RemovalWatch::~RemovalWatch() {
  among_->forget(*this);
}

RemovalWatchPtr RemovalWatches::watch(const KeyDigest& key) {
  const std::shared_ptr<RemovalWatch> watch(new RemovalWatch(shared_from_this(), key));
  Shard& shard = shard_of(key);
  const MutexLock lock(shard.mu);
  watch->at_ = shard.watches.emplace(key, watch.get());
  return watch;
}

void RemovalWatches::note(const KeyDigest& key) {
  count_.fetch_add(1, std::memory_order_acq_rel);
  Shard& shard = shard_of(key);
  const MutexLock lock(shard.mu);
  const auto [first, last] = shard.watches.equal_range(key);
  for (auto one = first; one != last; ++one) {
    one->second->is_over_.store(true, std::memory_order_release);
  }
}

void RemovalWatches::note_all() {
  count_.fetch_add(1, std::memory_order_acq_rel);
  for (Shard& shard : shards_) {
    const MutexLock lock(shard.mu);
    for (const auto& [key, watch] : shard.watches) {
      watch->is_over_.store(true, std::memory_order_release);
    }
  }
}

void RemovalWatches::forget(const RemovalWatch& watch) {
  Shard& shard = shard_of(watch.key_);
  const MutexLock lock(shard.mu);
  shard.watches.erase(watch.at_);
}

}  // namespace llm_edge_cache
