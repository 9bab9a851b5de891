#include "tiers/memory/memory_tier.hpp"

#include <array>
#include <atomic>
#include <bit>
#include <chrono>
#include <cstdint>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "base/random.hpp"
#include "llm_edge_cache/engine/cache.hpp"
#include "tiers/memory/tier_time.hpp"

namespace llm_edge_cache {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

constexpr milliseconds kJanitorPeriod{100};
// Further away than this is as good as never, and safe to count in nanoseconds.
constexpr UnixMillis kLongestLifeMs = 50LL * 366 * 24 * 3'600'000;

struct Traits : engine::CacheTraits<KeyDigest, EntryPtr> {
  struct Hash {
    std::size_t operator()(const KeyDigest& key) const { return key.hash(); }
  };
  struct Weigher {
    std::uint64_t operator()(const KeyDigest& key, const EntryPtr& entry) const;
  };
  using Clock = EngineTime;
};

using Engine = engine::Cache<KeyDigest, EntryPtr, Traits>;

std::uint64_t Traits::Weigher::operator()(const KeyDigest& key, const EntryPtr& entry) const {
  return entry->memory_bytes() + sizeof key + sizeof entry + Engine::kNodeOverheadBytes;
}

std::optional<nanoseconds> limit(std::uint64_t limit_ms) {
  if (limit_ms == 0 || limit_ms > static_cast<std::uint64_t>(kLongestLifeMs)) return std::nullopt;
  return milliseconds(limit_ms);
}

std::uint64_t random_seed() {
  std::array<std::uint8_t, sizeof(std::uint64_t)> bytes{};
  fill_random(bytes);
  return std::bit_cast<std::uint64_t>(bytes);
}

engine::CacheOptions options_of(const L1Config& config) {
  return {.max_entries = config.max_entries,
          .max_weight_bytes = config.max_bytes,
          .time_to_live = limit(config.ttl_ms),
          .time_to_idle = limit(config.tti_ms),
          .maintenance = engine::MaintenanceMode::kCallers,
          .seed = random_seed()};
}

// How long the tier keeps the entry; nothing: as long as the engine's own time to live says.
std::optional<nanoseconds> life_of(const Entry& entry, UnixMillis now_ms, std::uint64_t ttl_ms) {
  const bool ttl_is_shorter = ttl_ms != 0 && !entry.outlives_ttl && entry.expires_ms > now_ms &&
                              static_cast<std::uint64_t>(entry.expires_ms - now_ms) > ttl_ms;
  const auto life_ms = entry.end_ms() - now_ms;
  if (ttl_is_shorter || life_ms > kLongestLifeMs) return std::nullopt;
  return milliseconds(life_ms);
}

using WeakEntries = std::vector<std::pair<KeyDigest, std::weak_ptr<const Entry>>>;

class MemoryWalk final : public TierWalk {
 public:
  MemoryWalk(WeakEntries entries, ClockPtr clock)
      : entries_(std::move(entries)), clock_(std::move(clock)) {}

  void next(Handler handler) override {
    std::vector<KeyedEntry> page;
    const auto now_ms = clock_->now_ms();
    while (page.size() < kPageEntries && next_ < entries_.size()) {
      const auto& [key, weak] = entries_[next_++];
      auto entry = weak.lock();
      if (entry != nullptr && now_ms < entry->end_ms()) page.push_back({key, std::move(entry)});
    }
    handler(std::move(page));
  }

 private:
  const WeakEntries entries_;
  const ClockPtr clock_;
  std::size_t next_ = 0;
};

}  // namespace

// The engine wants a cache line of its own, after the time that it reads while it is made.
class MemoryTier::Store {  // NOLINT(clang-analyzer-optin.performance.Padding)
 public:
  Store(const L1Config& config, ClockPtr clock)
      : clock_(std::move(clock)),
        ttl_ms_(config.ttl_ms),
        time_(clock_->now_ms()),
        engine_(options_of(config), {{}, {}, EngineTime(time_), {}}),
        janitor_(kJanitorPeriod, [this] { maintain(); }) {}

  EntryPtr find(const KeyDigest& key, UnixMillis now_ms) {
    time_.observe(now_ms);
    auto found = engine_.get(key);
    // The engine counts a life from when it stores; the entry knows when it ends.
    if (!found || now_ms >= (*found)->end_ms()) return nullptr;
    return *std::move(found);
  }

  void put(const KeyDigest& key, EntryPtr entry) {
    const auto now_ms = observe_now();
    if (now_ms >= entry->end_ms()) {
      engine_.remove(key);
      return;
    }
    const engine::PutOptions options{.time_to_live = life_of(*entry, now_ms, ttl_ms_)};
    engine_.put(key, std::move(entry), options);
    writes_.fetch_add(1, std::memory_order_relaxed);
  }

  bool erase(const KeyDigest& key) {
    observe_now();
    const bool erased = engine_.remove(key);
    if (erased) removals_.fetch_add(1, std::memory_order_relaxed);
    return erased;
  }

  void erase_all() {
    observe_now();
    removals_.fetch_add(engine_.clear(), std::memory_order_relaxed);
  }

  std::shared_ptr<TierWalk> walk() {
    observe_now();
    WeakEntries entries;
    engine_.for_each([&entries](const KeyDigest& key, const EntryPtr& entry) {
      entries.emplace_back(key, entry);
    });
    return std::make_shared<MemoryWalk>(std::move(entries), clock_);
  }

  void maintain() {
    observe_now();
    engine_.run_maintenance();
  }

  TierCounters counters() const {
    const auto statistics = engine_.statistics();
    TierCounters counters;
    counters.hits = statistics.hits;
    counters.misses = statistics.misses;
    counters.writes = writes_.load(std::memory_order_relaxed);
    counters.removals = removals_.load(std::memory_order_relaxed);
    counters.evicted_for_size = statistics.removals_by(engine::RemovalCause::kSize);
    counters.evicted_expired = statistics.removals_by(engine::RemovalCause::kExpired);
    return counters;
  }

  TierGauges gauges() {
    maintain();
    TierGauges gauges;
    gauges.entries = engine_.size();
    gauges.memory_bytes = engine_.weight();
    return gauges;
  }

  UnixMillis observe_now() {
    const auto now_ms = clock_->now_ms();
    time_.observe(now_ms);
    return now_ms;
  }

 private:
  const ClockPtr clock_;
  const std::uint64_t ttl_ms_;
  TierTime time_;
  Engine engine_;
  std::atomic<std::uint64_t> writes_{0};
  std::atomic<std::uint64_t> removals_{0};
  engine::Janitor janitor_;  // last, so that it ends first
};

MemoryTier::MemoryTier(const L1Config& config, ClockPtr clock)
    : store_(std::make_unique<Store>(config, std::move(clock))) {}

MemoryTier::~MemoryTier() = default;

EntryPtr MemoryTier::find(const KeyDigest& key, UnixMillis now_ms) {
  return store_->find(key, now_ms);
}

void MemoryTier::get(const KeyDigest& key, Handler<Result<EntryPtr>> handler) {
  handler(store_->find(key, store_->observe_now()));
}

void MemoryTier::put(const KeyDigest& key, EntryPtr entry) {
  store_->put(key, std::move(entry));
}

bool MemoryTier::erase(const KeyDigest& key) {
  return store_->erase(key);
}

void MemoryTier::erase_all() {
  store_->erase_all();
}

std::shared_ptr<TierWalk> MemoryTier::walk() {
  return store_->walk();
}

TierCounters MemoryTier::counters() const {
  return store_->counters();
}

TierGauges MemoryTier::gauges() const {
  return store_->gauges();
}

}  // namespace llm_edge_cache
