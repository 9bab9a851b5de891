#include "llm_edge_cache/cache_manager.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <utility>

#include "api/blocking.hpp"
#include "api/cache_manager_impl.hpp"

namespace llm_edge_cache {
namespace {

constexpr std::uint64_t kLongestWaitMs = 24ULL * 3'600'000;  // no overflow when added to a time

CacheLookupResult result_of(const LookedUp& looked_up) {
  if (!looked_up.is_hit()) return {};
  return {looked_up.outcome,
          std::shared_ptr<const CachedResponse>(looked_up.entry, &looked_up.entry->response)};
}

Error blocking_in_handler() {
  return {ErrorCode::kInvalidArgument,
          "a blocking call inside a completion handler would wait for its own thread; use async_"};
}

Error no_life() {
  return {ErrorCode::kInvalidArgument, "ttl_ms must be at least 1"};
}

Status check_tags(const std::vector<std::string>& tags) {
  const bool is_long = std::any_of(tags.begin(), tags.end(), [](const std::string& tag) {
    return tag.size() > StoreOptions::kMaxTagBytes;
  });
  if (tags.size() <= StoreOptions::kMaxTags && !is_long) return {};
  return Error{ErrorCode::kInvalidArgument, "at most 16 tags of at most 64 bytes each"};
}

}  // namespace

CacheManager::CacheManager() : CacheManager(CacheManagerBuilder().build()) {}
CacheManager::CacheManager(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

CacheManager CacheManager::with_l2(L2Config config) {
  return CacheManagerBuilder().l2(std::move(config)).build();
}
CacheManagerBuilder CacheManager::builder() {
  return {};
}

Result<CacheLookupResult> CacheManager::lookup(const CacheableRequest& request) const {
  const auto key = impl_->key_of(request);
  if (!key.ok()) return key.error();
  TieredCache& tiers = impl_->tiers();
  auto from_l1 = tiers.lookup_l1(*key);
  if (from_l1.is_hit() || !tiers.has_l2()) return result_of(from_l1);
  if (tiers.runs_on_this_thread()) return blocking_in_handler();
  return result_of(wait_for<LookedUp>(
      [&](auto done) { tiers.lookup_l2_and_wait(*key, std::move(from_l1), std::move(done)); }));
}

void CacheManager::start_lookup(const CacheableRequest& request,
                                Done<Result<CacheLookupResult>> done) const {
  const auto key = impl_->key_of(request);
  if (!key.ok()) return done(key.error());
  impl_->tiers().lookup(
      *key, [done = std::move(done)](const LookedUp& looked_up) { done(result_of(looked_up)); });
}

Status CacheManager::store(const CacheableRequest& request, CachedResponse response) const {
  return impl_->store(request, std::move(response), impl_->default_ttl_ms());
}

Status CacheManager::store_with_ttl(const CacheableRequest& request, CachedResponse response,
                                    std::uint64_t ttl_ms) const {
  if (ttl_ms == 0) return no_life();
  return impl_->store(request, std::move(response), ttl_ms);
}

Status CacheManager::store(const CacheableRequest& request, CachedResponse response,
                           const StoreOptions& options) const {
  if (options.ttl_ms == 0U) return no_life();
  if (Status status = check_tags(options.tags); !status) return status;
  TieredCache& tiers = impl_->tiers();
  const auto ticket = tiers.stamp(options.tags);
  if (ticket != nullptr && !tiers.runs_on_this_thread()) {
    (void)wait_for<bool>([&](auto done) {
      ticket->when_ready([done = std::move(done)](const auto* stamps) { done(stamps != nullptr); });
    });
  }
  return impl_->store(request, std::move(response),
                      options.ttl_ms.value_or(impl_->default_ttl_ms()), ticket);
}

Status CacheManager::purge_tag(std::string_view tag) const {
  if (impl_->tiers().runs_on_this_thread()) return blocking_in_handler();
  return wait_for<Status>([&](auto done) { impl_->tiers().purge_tag(tag, std::move(done)); });
}

void CacheManager::start_purge_tag(const std::string& tag, Done<Status> done) const {
  impl_->tiers().purge_tag(tag, std::move(done));
}

Result<bool> CacheManager::invalidate(const CacheableRequest& request) const {
  if (impl_->tiers().runs_on_this_thread()) return blocking_in_handler();
  return wait_for<Result<bool>>([&](auto done) { start_invalidate(request, std::move(done)); });
}

void CacheManager::start_invalidate(const CacheableRequest& request,
                                    Done<Result<bool>> done) const {
  const auto key = impl_->key_of(request);
  if (!key.ok()) return done(key.error());
  impl_->tiers().remove(*key, std::move(done));
}

Status CacheManager::clear_all() const {
  if (impl_->tiers().runs_on_this_thread()) return blocking_in_handler();
  return wait_for<Status>([&](auto done) { start_clear_all(std::move(done)); });
}

void CacheManager::start_clear_all(Done<Status> done) const {
  impl_->tiers().clear(std::move(done));
}

HealthStatus CacheManager::health_check() const {
  if (impl_->tiers().runs_on_this_thread()) return {.l1_healthy = true, .l2_configured = true};
  return wait_for<HealthStatus>([&](auto done) { start_health_check(std::move(done)); });
}

void CacheManager::start_health_check(Done<HealthStatus> done) const {
  impl_->tiers().check(std::move(done));
}

MetricsSnapshot CacheManager::metrics_snapshot() const {
  return impl_->tiers().metrics_snapshot();
}

std::size_t CacheManager::l1_entry_count() const {
  return impl_->tiers().l1_report().gauges.entries;
}

Result<std::uint64_t> CacheManager::l2_approximate_size() const {
  if (impl_->tiers().runs_on_this_thread()) return blocking_in_handler();
  return wait_for<Result<std::uint64_t>>(
      [&](auto done) { impl_->tiers().l2_size(std::move(done)); });
}

bool CacheManager::has_l2() const {
  return impl_->tiers().has_l2();
}

Status CacheManager::flush(std::uint64_t timeout_ms) const {
  if (impl_->tiers().runs_on_this_thread()) return blocking_in_handler();
  auto flushed = begin<Status>([&](auto done) { impl_->tiers().flush(std::move(done)); });
  const std::chrono::milliseconds timeout(std::min(timeout_ms, kLongestWaitMs));
  if (flushed.wait_for(timeout) != std::future_status::ready) {
    return Error{ErrorCode::kDeadlineExceeded, "L2 did not take all pending writes in time"};
  }
  return flushed.get();
}

}  // namespace llm_edge_cache
