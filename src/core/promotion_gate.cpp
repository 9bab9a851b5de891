#include "core/promotion_gate.hpp"

namespace llm_edge_cache {

PromotionGate::Ticket PromotionGate::ticket(const KeyDigest& key) {
  Shard& shard = shard_of(key);
  const MutexLock lock(shard.mu);
  return shard.changes;
}

PromotionGate::Ticket PromotionGate::removal_ticket(const KeyDigest& key) {
  Shard& shard = shard_of(key);
  const MutexLock lock(shard.mu);
  return shard.removals;
}

void PromotionGate::end_removal(const KeyDigest& key) {
  Shard& shard = shard_of(key);
  const MutexLock lock(shard.mu);
  end(shard);
}

void PromotionGate::begin_clear() {
  for (Shard& shard : shards_) {
    const MutexLock lock(shard.mu);
    begin(shard);
  }
}

void PromotionGate::end_clear() {
  for (Shard& shard : shards_) {
    const MutexLock lock(shard.mu);
    end(shard);
  }
}

void PromotionGate::begin(Shard& shard) {
  ++shard.changes;
  ++shard.removals;
  ++shard.removals_under_way;
}

// The second change rejects tickets that were taken while the lower tier still had the answer.
void PromotionGate::end(Shard& shard) {
  ++shard.changes;
  ++shard.removals;
  --shard.removals_under_way;
}

}  // namespace llm_edge_cache
