// Keeps an answer that was removed or replaced while a lookup was under way from coming back.
//
// A lookup takes a ticket before it asks the lower tier and promotes what it got only if nothing
// has been stored or removed in the key's shard since, and no removal is still under way. A removal
// that returned has therefore the last word over every lookup that began before it ended. Two keys
// that share a shard can cost each other a promotion, never an answer.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/key_digest.hpp"
#include "base/thread_annotations.hpp"

namespace llm_edge_cache {

// Threads: any. The actions run under the shard's lock: they touch the upper tier and may queue
// for the lower, never wait and never call back.
class PromotionGate {
 public:
  using Ticket = std::uint64_t;

  [[nodiscard]] Ticket ticket(const KeyDigest& key);

  // The same for an action that only a removal forbids: no store does.
  [[nodiscard]] Ticket removal_ticket(const KeyDigest& key);
  template <class Action>
  bool try_unless_removed(const KeyDigest& key, Ticket ticket, Action&& action) {
    Shard& shard = shard_of(key);
    const MutexLock lock(shard.mu);
    if (shard.removals_under_way != 0 || shard.removals != ticket) return false;
    action();
    return true;
  }

  // Runs promote() where the ticket still holds; returns whether it did.
  template <class Promote>
  bool try_promote(const KeyDigest& key, Ticket ticket, Promote&& promote) {
    Shard& shard = shard_of(key);
    const MutexLock lock(shard.mu);
    if (shard.removals_under_way != 0 || shard.changes != ticket) return false;
    promote();
    return true;
  }

  template <class Store>
  void store(const KeyDigest& key, Store&& store) {
    Shard& shard = shard_of(key);
    const MutexLock lock(shard.mu);
    ++shard.changes;
    store();
  }

  // A removal spans its work in the lower tier: begin, then end exactly once.
  template <class Remove>
  void begin_removal(const KeyDigest& key, Remove&& remove) {
    Shard& shard = shard_of(key);
    const MutexLock lock(shard.mu);
    begin(shard);
    remove();
  }
  void end_removal(const KeyDigest& key);

  // The same for all keys.
  void begin_clear();
  void end_clear();

 private:
  struct alignas(64) Shard {
    Mutex mu;
    std::uint64_t changes LEC_GUARDED_BY(mu) = 0;
    std::uint64_t removals LEC_GUARDED_BY(mu) = 0;  // begun and ended ones
    std::uint64_t removals_under_way LEC_GUARDED_BY(mu) = 0;
  };
  static constexpr std::size_t kShards = 256;

  static void begin(Shard& shard) LEC_REQUIRES(shard.mu);
  static void end(Shard& shard) LEC_REQUIRES(shard.mu);
  Shard& shard_of(const KeyDigest& key) { return shards_[key.bytes.back() % kShards]; }

  std::array<Shard, kShards> shards_;
};

}  // namespace llm_edge_cache
