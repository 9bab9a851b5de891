// The library's composition root: the one place that knows which tiers there are.
#include <stdexcept>
#include <utility>

#include "api/cache_manager_impl.hpp"
#include "api/reaper.hpp"
#include "llm_edge_cache/cache_manager.hpp"
#include "tiers/disk/disk_path.hpp"
#include "tiers/disk/disk_tier.hpp"
#include "tiers/memory/memory_tier.hpp"
#include "tiers/redis/redis_tier.hpp"

namespace llm_edge_cache {
namespace {

void require(const Status& valid) {
  if (!valid.ok()) throw std::invalid_argument(valid.error().message);
}

template <class Made>
std::unique_ptr<Tier> made_or_throw(Result<std::unique_ptr<Made>> tier) {
  if (!tier.ok()) throw std::invalid_argument(tier.error().message);
  return std::move(tier).value();
}

std::unique_ptr<Tier> make_l2(const L2Config& config, ClockPtr clock) {
  if (disk::is_disk_url(config.url)) {
    return made_or_throw(disk::DiskTier::create(config, std::move(clock)));
  }
  return made_or_throw(redis::RedisTier::create(config, std::move(clock)));
}

}  // namespace

CacheManagerBuilder& CacheManagerBuilder::l1(L1Config config) {
  l1_ = config;
  return *this;
}

CacheManagerBuilder& CacheManagerBuilder::l2(L2Config config) {
  l2_ = std::move(config);
  return *this;
}

CacheManagerBuilder& CacheManagerBuilder::name_space(std::string name) {
  namespace_ = std::move(name);
  return *this;
}

CacheManagerBuilder& CacheManagerBuilder::clock(ClockPtr clock) {
  clock_ = std::move(clock);
  return *this;
}

CacheManager CacheManagerBuilder::build() const {
  require(l1_.validate());
  if (l2_) require(l2_->validate());
  const auto clock = clock_ != nullptr ? clock_ : std::make_shared<const SystemClock>();
  auto l1 = std::make_unique<MemoryTier>(l1_, clock);
  auto l2 = l2_ ? make_l2(*l2_, clock) : nullptr;
  CacheManager::Impl::Options options{.name_space = namespace_,
                                      .default_ttl_ms = l2_ ? l2_->ttl_ms : l1_.ttl_ms,
                                      .max_response_bytes = l1_.max_bytes};
  auto* impl = new CacheManager::Impl(std::move(l1), std::move(l2), clock, std::move(options));
  return CacheManager(std::shared_ptr<CacheManager::Impl>(impl, [](CacheManager::Impl* last) {
    if (!last->tiers().runs_on_this_thread()) return delete last;
    destroy_elsewhere([last] { delete last; });
  }));
}

}  // namespace llm_edge_cache
