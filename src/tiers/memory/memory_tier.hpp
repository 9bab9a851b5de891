// L1: answers in this process's memory, over the engine (llm_edge_cache/engine/cache.hpp).
//
// Bounded by entries and by bytes: an entry weighs what it holds, plus its key and node. An entry
// that weighs more than max_bytes is not kept.
//
// Expiry is exact on the injected clock, and a thread of the tier removes what has expired without
// traffic. ttl_ms and tti_ms only shorten an entry's life: an entry that would still be fresh after
// ttl_ms leaves then; one whose freshness ends before that stays until its stale_until_ms.
#pragma once

#include <memory>
#include <string_view>

#include "core/tier.hpp"
#include "llm_edge_cache/clock.hpp"
#include "llm_edge_cache/config.hpp"

namespace llm_edge_cache {

class MemoryTier final : public LocalTier {
 public:
  // config must be valid.
  MemoryTier(const L1Config& config, ClockPtr clock);
  ~MemoryTier() override;

  [[nodiscard]] std::string_view name() const override { return "l1"; }

  [[nodiscard]] EntryPtr find(const KeyDigest& key, UnixMillis now_ms) override;
  void get(const KeyDigest& key, Handler<Result<EntryPtr>> handler) override;
  void put(const KeyDigest& key, EntryPtr entry) override;
  bool erase(const KeyDigest& key) override;
  void erase_all() override;

  // Of what is there at the call: a key and a weak reference for each entry.
  [[nodiscard]] std::shared_ptr<TierWalk> walk() override;

  [[nodiscard]] TierCounters counters() const override;
  // Exact: removes first what has expired or is over the bounds.
  [[nodiscard]] TierGauges gauges() const override;

 private:
  class Store;
  const std::unique_ptr<Store> store_;
};

}  // namespace llm_edge_cache
