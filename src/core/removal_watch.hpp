// Tells those who wait for an answer that its key was removed meanwhile: what was asked for before
// a removal must not be kept after it.
//
// A watch is taken before the answer is asked for, and is over with the first removal of its key
// or of everything from then on. What is kept is a place for each watch: nothing grows with the
// keys that are removed, and two keys never stand for each other.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <utility>

#include "base/key_digest.hpp"
#include "base/thread_annotations.hpp"

namespace llm_edge_cache {

class RemovalWatches;

// Thread-safe. May outlive those who note removals.
class RemovalWatch {
 public:
  ~RemovalWatch();
  RemovalWatch(const RemovalWatch&) = delete;
  RemovalWatch& operator=(const RemovalWatch&) = delete;

  // Takes no lock.
  [[nodiscard]] bool is_over() const { return is_over_.load(std::memory_order_acquire); }

 private:
  friend class RemovalWatches;
  using ByKey = std::multimap<KeyDigest, RemovalWatch*>;
  RemovalWatch(std::shared_ptr<RemovalWatches> among, const KeyDigest& key)
      : among_(std::move(among)), key_(key) {}

  const std::shared_ptr<RemovalWatches> among_;
  const KeyDigest key_;
  ByKey::iterator at_;
  std::atomic<bool> is_over_ = false;
};

using RemovalWatchPtr = std::shared_ptr<const RemovalWatch>;

// Threads: any. Owned by a shared_ptr.
class RemovalWatches : public std::enable_shared_from_this<RemovalWatches> {
 public:
  [[nodiscard]] RemovalWatchPtr watch(const KeyDigest& key);

  // Ends the watches there are.
  void note(const KeyDigest& key);
  void note_all();
  // How many were noted so far.
  [[nodiscard]] std::uint64_t count() const { return count_.load(std::memory_order_acquire); }

 private:
  friend class RemovalWatch;
  struct alignas(64) Shard {
    Mutex mu;
    RemovalWatch::ByKey watches LEC_GUARDED_BY(mu);
  };
  static constexpr std::size_t kShards = 64;

  void forget(const RemovalWatch& watch);
  Shard& shard_of(const KeyDigest& key) { return shards_[key.bytes.back() % kShards]; }

  std::atomic<std::uint64_t> count_ = 0;
  std::array<Shard, kShards> shards_;
};

}  // namespace llm_edge_cache
