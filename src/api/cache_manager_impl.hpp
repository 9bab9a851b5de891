// What the handles of one cache share.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/key_digest.hpp"
#include "core/tiered_cache.hpp"
#include "llm_edge_cache/cache_manager.hpp"

namespace llm_edge_cache {

class CacheManager::Impl {
 public:
  struct Options {
    std::string name_space;
    std::uint64_t default_ttl_ms = 0;  // 0: no limit
    std::size_t max_response_bytes = 0;
  };

  Impl(std::unique_ptr<LocalTier> l1, std::unique_ptr<Tier> l2, ClockPtr clock, Options options);

  [[nodiscard]] Result<KeyDigest> key_of(const CacheableRequest& request) const;

  // ttl_ms 0: no limit. The ticket is of the answer's tags; null for none.
  Status store(const CacheableRequest& request, CachedResponse response, std::uint64_t ttl_ms,
               const TagTicketPtr& ticket = nullptr);

  [[nodiscard]] TieredCache& tiers() { return tiers_; }
  [[nodiscard]] std::uint64_t default_ttl_ms() const { return options_.default_ttl_ms; }

 private:
  [[nodiscard]] EntryPtr entry_of(CachedResponse response, std::uint64_t ttl_ms) const;

  const Options options_;
  const ClockPtr clock_;
  TieredCache tiers_;
};

}  // namespace llm_edge_cache
