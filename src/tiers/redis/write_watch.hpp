// Notices that another process changed a key while a write of ours to it was under way.
//
// The store keeps whichever came last, and that may have been ours: what memory has taken from it
// meanwhile is then the other's, and nobody else will say so. Keys share kShards places: what it
// reports in vain costs an entry in memory, never an answer.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/key_digest.hpp"
#include "base/thread_annotations.hpp"

namespace llm_edge_cache::redis {

// Thread-safe.
class WriteWatch {
 public:
  void begin(const KeyDigest& key) {
    Shard& shard = shard_of(key);
    const MutexLock lock(shard.mutex);
    ++shard.under_way;
  }
  // True where another process has changed the key, or one in its place, since begin() or before.
  [[nodiscard]] bool end(const KeyDigest& key) {
    Shard& shard = shard_of(key);
    const MutexLock lock(shard.mutex);
    const bool was_changed = shard.was_changed;
    if (--shard.under_way == 0) shard.was_changed = false;
    return was_changed;
  }
  void note_change(const KeyDigest& key) { note(shard_of(key)); }
  void note_change_of_all() {
    for (Shard& shard : shards_) note(shard);
  }

 private:
  struct alignas(64) Shard {
    Mutex mutex;
    std::size_t under_way LEC_GUARDED_BY(mutex) = 0;
    bool was_changed LEC_GUARDED_BY(mutex) = false;
  };
  static constexpr std::size_t kShards = 64;

  static void note(Shard& shard) {
    const MutexLock lock(shard.mutex);
    if (shard.under_way > 0) shard.was_changed = true;
  }
  Shard& shard_of(const KeyDigest& key) { return shards_[key.bytes.front() % kShards]; }

  std::array<Shard, kShards> shards_;
};

}  // namespace llm_edge_cache::redis
