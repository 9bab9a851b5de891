#include "api/cache_manager_impl.hpp"

#include <limits>
#include <utility>

#include "core/cache_key.hpp"

namespace llm_edge_cache {
namespace {

constexpr UnixMillis kForever = std::numeric_limits<UnixMillis>::max();

UnixMillis expiry(UnixMillis now_ms, std::uint64_t ttl_ms) {
  const auto left_ms = static_cast<std::uint64_t>(kForever - now_ms);
  if (ttl_ms == 0 || ttl_ms >= left_ms) return kForever;
  return now_ms + static_cast<UnixMillis>(ttl_ms);
}

}  // namespace

CacheManager::Impl::Impl(std::unique_ptr<LocalTier> l1, std::unique_ptr<Tier> l2, ClockPtr clock,
                         Options options)
    : options_(std::move(options)),
      clock_(std::move(clock)),
      tiers_(std::move(l1), std::move(l2), clock_) {}

Result<KeyDigest> CacheManager::Impl::key_of(const CacheableRequest& request) const {
  return cache_key(request, options_.name_space);
}

Status CacheManager::Impl::store(const CacheableRequest& request, CachedResponse response,
                                 std::uint64_t ttl_ms, const TagTicketPtr& ticket) {
  const auto key = key_of(request);
  if (!key.ok()) return key.error();
  const auto entry = entry_of(std::move(response), ttl_ms);
  if (entry->memory_bytes() > options_.max_response_bytes) {
    return Error{ErrorCode::kTooLarge, "the response exceeds L1Config::max_bytes"};
  }
  tiers_.store(*key, entry, ticket);
  return {};
}

EntryPtr CacheManager::Impl::entry_of(CachedResponse response, std::uint64_t ttl_ms) const {
  const auto now_ms = clock_->now_ms();
  auto entry = std::make_shared<Entry>();
  entry->response = std::move(response);
  if (entry->response.cached_at_ms == 0) entry->response.cached_at_ms = now_ms;
  entry->expires_ms = expiry(now_ms, ttl_ms);
  return entry;
}

}  // namespace llm_edge_cache
