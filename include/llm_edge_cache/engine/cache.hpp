// A concurrent cache in memory: W-TinyLFU, bounded by entries and by weight, with expiry.
//
//   engine::Cache<std::string, int> cache({.max_entries = 1000});
//   cache.put("a", 1);
//   std::optional<int> one = cache.get("a");
//
// How it works: readers search a sharded index without a lock and announce the one node that they
// look at (hazards.hpp), so that nobody frees it; they write no line that another thread writes.
// Writers change the index under a shard's lock and queue what they changed. One thread at a time,
// under the maintenance lock, tells the policy and the timer wheel what was read and written, and
// removes what they say.
//
// The bounds hold exactly whenever maintenance has caught up; between that the cache holds at most
// `write_queue_bound` entries and an eighth of the weight more, and the last entry of each shard.
#pragma once

#include <algorithm>
#include <atomic>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include "llm_edge_cache/engine/clock.hpp"
#include "llm_edge_cache/engine/flights.hpp"
#include "llm_edge_cache/engine/hazards.hpp"
#include "llm_edge_cache/engine/index.hpp"
#include "llm_edge_cache/engine/janitor.hpp"
#include "llm_edge_cache/engine/maintenance.hpp"
#include "llm_edge_cache/engine/mix.hpp"
#include "llm_edge_cache/engine/node_slab.hpp"
#include "llm_edge_cache/engine/options.hpp"
#include "llm_edge_cache/engine/pinned.hpp"
#include "llm_edge_cache/engine/read_buffer.hpp"
#include "llm_edge_cache/engine/reclaimer.hpp"
#include "llm_edge_cache/engine/traits.hpp"

namespace llm_edge_cache::engine {

/// Thread-safe. Reads never block and never allocate, except a thread's first (it registers).
/// Writes may throw std::bad_alloc, or what the key's hash, equality or the weigher throw; then
/// nothing changed. Key and value are destroyed on whichever thread does maintenance or reclaims.
template <class Key, class Value, class Traits = CacheTraits<Key, Value>>
class Cache {
  static_assert(std::is_nothrow_move_constructible_v<Key>);
  static_assert(std::is_nothrow_move_constructible_v<Value>);
  static_assert(std::is_nothrow_destructible_v<Key> && std::is_nothrow_destructible_v<Value>);

 public:
  using Clock = typename Traits::Clock;
  using Weigher = typename Traits::Weigher;
  using PinnedValue = Pinned<Key, Value>;

  /// Called exactly once for each value that leaves, on the thread that does maintenance (in inline
  /// mode the one that caused it), under no lock, before the value is freed. May use the cache.
  /// Must not throw. Values still cached when the cache is destroyed do not leave.
  using Listener = std::function<void(const Key&, const Value&, RemovalCause)>;

  /// Runs a job soon, on any thread, while the cache lives.
  using Executor = std::function<void(std::function<void()>)>;

  struct Hooks {
    Listener listener = {};
    Executor executor = {};  ///< Takes over maintenance that a writer would start.
    Clock clock{};
    Weigher weigher{};
  };

  /// Throws std::invalid_argument for options that make no sense, std::system_error if the janitor
  /// cannot be started.
  explicit Cache(const CacheOptions& options)
    requires std::default_initializable<Hooks>
      : Cache(options, Hooks{}) {}
  Cache(const CacheOptions& options, Hooks hooks)
      : options_(checked(options)),
        hooks_(std::move(hooks)),
        clock_(hooks_.clock),
        tti_ns_(options.time_to_idle ? options.time_to_idle->count() : kNeverNs),
        drain_mask_(is_inline() || !detail::kKernelFencesReaders ? 0 : ReadStripe::kEvents - 1),
        index_(slab_, cache_id_, layout(options)),
        reclaimer_(slab_, cache_id_, reclaim_bounds(options)),
        maintenance_(index_, slab_, policy_options(options),
                     {.origin_ns = clock_.exact_ns(),
                      .tti_ns = tti_ns_,
                      .tick_shift = tick_shift(options)}) {
    if (options.maintenance == MaintenanceMode::kJanitor) {
      tick();
      janitor_.emplace(options.janitor_period, [this] { tick(); });
    }
  }

  /// No other call may be running and no Pinned be left.
  ~Cache() {
    janitor_.reset();
    run_maintenance();
  }

  Cache(const Cache&) = delete;
  Cache& operator=(const Cache&) = delete;

  // Reading. An expired entry is never returned: exact with an exact clock, and with a janitor up
  // to two of its periods early.

  /// A copy of the value, made while the entry is pinned.
  // Inline, because returning a small optional from a call costs as much as the lookup.
  [[nodiscard, gnu::always_inline]] std::optional<Value> get(const Key& key) {
    HazardRecord& own = this_threads_hazards();
    const Read* found = locate_at_home(key, own, own.node);
    if (found == nullptr) [[unlikely]]
      found = locate(key, own, own.node);
    if (found == nullptr) return std::nullopt;
    const PinGuard guard(own.node);
    return std::optional<Value>(found->value());
  }

  /// The value in place. For values that are costly to copy or counted.
  [[nodiscard]] PinnedValue find(const Key& key) {
    HazardRecord& own = this_threads_hazards();
    Hazard& pin = free_pin(own);
    const Read* found = locate_at_home(key, own, pin);
    if (found == nullptr) found = locate(key, own, pin);
    return found == nullptr ? PinnedValue() : PinnedValue(pin, found->key(), found->value());
  }

  /// Calls `use(value)` if the key is there; returns whether.
  template <class Use>
  bool with(const Key& key, Use&& use) {
    const PinnedValue found = find(key);
    if (found) std::forward<Use>(use)(*found);
    return static_cast<bool>(found);
  }

  // Writing.

  /// Stores `value`. Afterwards every get finds it, or nothing: the policy may refuse it.
  void put(Key key, Value value, const PutOptions& put_options = {}) {
    const std::uint64_t hash = hash_of(key);
    const std::int64_t now_ns = birth_ns(put_options);
    const Birth birth = birth_of(key, value, now_ns, put_options);
    Change change;
    // A load under way yields to the value, even if that is evicted at once.
    flights_.invalidate(hash);
    while (index_.store(hash, key, value, birth, tti_ns_, change) == Stored::kQueueFull) {
      help(hash, now_ns);
    }
    // So does one that started before the value was stored.
    flights_.invalidate(hash);
    after_write(hash, now_ns, change);
  }

  /// The value of `key`; if it is not there, what `loader(key, put_options)` returns, stored as the
  /// loader may say in its second argument. Threads that ask meanwhile wait for that one call and
  /// get what it returned or threw. A loader returns a Value, or std::optional<Value>; nothing,
  /// like an exception, is not stored. A put or remove of the key, a remove_if or a clear during
  /// the load wins: the loaded value is returned to those who wait, but not stored. A loader that
  /// asks for its own key loads again, without storing.
  template <class Loader>
  [[nodiscard]] std::optional<Value> get_or_load(const Key& key, Loader&& loader) {
    if (std::optional<Value> found = get(key)) return found;
    const std::uint64_t hash = hash_of(key);
    const auto boarding = flights_.board(hash, key);
    if (boarding.leads) return lead(key, hash, boarding.flight, loader);
    if (!boarding.flight->led_by_this_thread()) return boarding.flight->wait();
    PutOptions ignored;
    return loader(key, ignored);
  }

  /// Returns whether there was a value that had not expired.
  bool remove(const Key& key) {
    const std::uint64_t hash = hash_of(key);
    flights_.invalidate(hash);
    return erase(hash, clock_.exact_ns(), [&](Handle at) { return is_of(key, at); });
  }

  /// Removes the entries for which `predicate(key, value)` is true, among those there when it is
  /// called; under no lock. Returns how many.
  template <class Predicate>
  std::size_t remove_if(Predicate&& predicate) {
    std::size_t removed = 0;
    flights_.invalidate_all();
    visit([&](std::uint64_t hash, Handle handle, const Read& read) {
      if (!predicate(read.key(), read.value())) return;
      // The pin keeps the handle from naming another entry.
      removed += erase(hash, clock_.exact_ns(), [&](Handle at) { return at == handle; });
    });
    return removed;
  }

  /// Removes what is there when it is called. Returns how much.
  std::size_t clear() {
    return remove_if([](const Key&, const Value&) { return true; });
  }

  // Looking at the whole.

  /// Calls `visit(key, value)`, under no lock, exactly once for each key that is there all the
  /// time; for others at most once for each time they were put. Counts as no read.
  template <class Visit>
  void for_each(Visit&& visit_entry) {
    visit([&](std::uint64_t, Handle, const Read& read) { visit_entry(read.key(), read.value()); });
  }

  /// Up to `n` keys, those first that the policy would keep longest.
  [[nodiscard]] std::vector<Key> hottest(std::size_t n) {
    const std::lock_guard lock(mutex_);
    return keys_of(maintenance_.policy().hottest(n));
  }
  /// Up to `n` keys, those first that the policy would give up first.
  [[nodiscard]] std::vector<Key> coldest(std::size_t n) {
    const std::lock_guard lock(mutex_);
    return keys_of(maintenance_.policy().coldest(n));
  }

  /// Entries, expired ones included until they are removed.
  [[nodiscard]] std::uint64_t size() const { return index_.entries(); }
  /// Their weight.
  [[nodiscard]] std::uint64_t weight() const { return index_.weight(); }
  /// Entries that the bounds may be exceeded by until maintenance is done.
  [[nodiscard]] std::uint64_t write_queue_bound() const {
    return index_.shard_count() * index_.queue_limit();
  }
  /// What the engine has allocated: nodes (keys and values are in them, deferred ones too), tables,
  /// queues, sketch. Not what keys and values own elsewhere.
  [[nodiscard]] std::size_t memory_bytes() const {
    const std::lock_guard lock(mutex_);
    return sizeof(*this) - sizeof(maintenance_) + slab_.memory_bytes() + index_.memory_bytes() +
           reads_.memory_bytes() + maintenance_.memory_bytes() + reclaimer_.deferred().memory_bytes;
  }

  [[nodiscard]] CacheStatistics statistics() const {
    const std::lock_guard lock(mutex_);
    CacheStatistics statistics;
    maintenance_.add_to(statistics);
    const ReadBuffer::Counts reads = reads_.counts();
    statistics.hits = reads.hits;
    statistics.misses = reads.misses;
    statistics.read_events_lost = reads.lost;
    const auto deferred = reclaimer_.deferred();
    statistics.deferred_entries = deferred.entries;
    statistics.deferred_weight = deferred.weight;
    return statistics;
  }

  // Keeping.

  /// New bounds; returns when they hold. No lock is held for longer than a few hundred evictions.
  void resize(std::uint64_t max_entries, std::uint64_t max_weight_bytes = kUnbounded) {
    const PolicyBounds wanted = bounds_of(max_entries, max_weight_bytes);
    for (bool done = false; !done;) {
      done = maintain([&](std::int64_t now_ns, Departures& departures) {
        auto& policy = maintenance_.policy();
        const PolicyBounds step = one_step_to(wanted, policy.count(), policy.weight());
        policy.resize(step);
        maintenance_.enforce_bounds(now_ns, departures);
        return step.max_entries == wanted.max_entries &&
               step.max_weight_bytes == wanted.max_weight_bytes;
      });
    }
  }

  /// Drains all queues, removes what is over bounds or expired, frees what no reader is looking at
  /// and gives memory back. For use with an injected clock, or before measuring.
  void run_maintenance() {
    for (std::size_t shard = 0; shard < index_.shard_count(); shard += kShardsPerStep) {
      maintain([&](std::int64_t now_ns, Departures& departures) {
        maintenance_.drain(reads_);
        const std::size_t end = std::min(shard + kShardsPerStep, index_.shard_count());
        for (std::size_t i = shard; i < end; ++i) maintenance_.drain(i, now_ns, departures);
        maintenance_.enforce_bounds(now_ns, departures);
        return true;
      });
    }
    while (maintain([&](std::int64_t now_ns, Departures& departures) {
      return maintenance_.expire(now_ns, kExpiriesPerStep, departures);
    })) {
    }
    reclaimer_.reclaim();
    give_memory_back();
  }

  /// True when all invariants hold. For tests, with no other call running: drains first. O(n).
  [[nodiscard]] bool validate() {
    run_maintenance();
    const std::lock_guard lock(mutex_);
    return index_.validate() && maintenance_.validate(index_.entries());
  }

  /// Of one entry, index and policy aside.
  static constexpr std::size_t kNodeOverheadBytes =
      NodeSlab<Key, Value>::kNodeBytes - sizeof(Key) - sizeof(Value);

 private:
  using Hash = typename Traits::Hash;
  using Equal = typename Traits::Equal;
  using Sync = typename Traits::Sync;
  using Slab = NodeSlab<Key, Value, Sync>;
  using Read = ReadPart<Key, Value>;
  using CacheIndex = Index<Key, Value, Equal, Sync>;
  using Birth = typename CacheIndex::Birth;
  using Change = typename CacheIndex::Change;
  using Stored = typename CacheIndex::Stored;
  using Erased = typename CacheIndex::Erased;
  using Policy = typename Traits::template Policy<Slab>;
  using CacheMaintenance = Maintenance<CacheIndex, Policy>;
  using Departures = typename CacheMaintenance::Departures;
  using Flights = FlightTable<Key, Value, Equal>;
  using FlightPtr = typename Flights::FlightPtr;

  static constexpr std::size_t kShardsPerStep = 4;
  static constexpr std::size_t kExpiriesPerStep = 256;
  static constexpr std::uint64_t kEvictionsPerStep = 256;
  static constexpr std::int64_t kDrainIntervalNs = 1'000'000;

  struct PinGuard {
    explicit PinGuard(Hazard& pinned) : pin(&pinned) {}
    ~PinGuard() { pin->store(0, std::memory_order_release); }
    PinGuard(const PinGuard&) = delete;
    PinGuard& operator=(const PinGuard&) = delete;
    Hazard* pin;
  };

  // Set-up.

  static CacheOptions checked(const CacheOptions& options) {
    options.validate();
    return options;
  }

  static std::uint32_t next_cache_id() {
    static constinit std::atomic<std::uint32_t> next{0};
    return next.fetch_add(1, std::memory_order_relaxed);
  }

  static PolicyBounds bounds_of(std::uint64_t max_entries, std::uint64_t max_weight_bytes) {
    return {.max_entries = std::min(max_entries, kMostEntries),
            .max_weight_bytes = max_weight_bytes};
  }

  static PolicyOptions policy_options(const CacheOptions& options) {
    PolicyOptions policy;
    policy.bounds = bounds_of(options.max_entries, options.max_weight_bytes);
    policy.seed = options.seed;
    return policy;
  }

  /// Shards of about 4,096 entries, so that rehashing one is short.
  static typename CacheIndex::Layout layout(const CacheOptions& options) {
    const std::uint64_t expected = options.expected_entries.value_or(
        std::min(options.max_entries, std::min(options.max_weight_bytes / 256, kMostExpected)));
    const std::uint64_t for_size = std::bit_ceil(std::max<std::uint64_t>(1, expected / 4096));
    const std::uint64_t for_writers =
        std::bit_floor(std::clamp<std::uint64_t>(expected / 64, 1, 16));
    const std::uint64_t shards = std::min<std::uint64_t>(std::max(for_size, for_writers), 4096);
    const std::uint64_t limit = std::min(options.max_entries, kMostExpected) / (8 * shards);
    return {
        .shards = static_cast<std::size_t>(shards),
        .queue_limit =
            static_cast<std::uint32_t>(std::clamp<std::uint64_t>(limit, 4, WriteQueue::kMaxEvents)),
        .queue_weight_limit = std::max<std::uint64_t>(1, options.max_weight_bytes / (8 * shards))};
  }

  static typename Reclaimer<Slab, Sync>::Bounds reclaim_bounds(const CacheOptions& options) {
    return {.max_entries = static_cast<std::size_t>(
                std::clamp<std::uint64_t>(options.max_entries / 16, 16, 512)),
            .max_weight = std::max<std::uint64_t>(1, options.max_weight_bytes / 16)};
  }

  static std::uint32_t tick_shift(const CacheOptions& options) {
    return static_cast<std::uint32_t>(
        std::bit_width(static_cast<std::uint64_t>(options.timer_tick.count())) - 1);
  }

  [[nodiscard]] bool is_inline() const { return options_.maintenance == MaintenanceMode::kInline; }

  // Reading.

  [[nodiscard]] std::uint64_t hash_of(const Key& key) const {
    return mix(static_cast<std::uint64_t>(Hash{}(key)) ^ options_.seed);
  }

  [[nodiscard, gnu::always_inline]] bool is_of(const Key& key, Handle handle) const {
    return Equal{}(slab_.read_part(handle).key(), key);
  }

  /// What most hits take: no call, no loop, nothing but the entry where it most likely is. Null,
  /// with `pin` undefined and nothing told, in all other cases; `locate` knows those.
  [[gnu::always_inline]] const Read* locate_at_home(const Key& key, HazardRecord& own,
                                                    Hazard& pin) {
    ReadStripe* stripe = reads_.owned_by(own.index);
    if (stripe == nullptr) return nullptr;
    const std::uint64_t reads = stripe->reads();
    if (is_last_before_drain(reads)) return nullptr;
    const Handle handle =
        index_.find_at_home(hash_of(key), own, pin, [&](Handle at) { return is_of(key, at); });
    if (handle == kNullHandle) return nullptr;
    Read& read = slab_.read_part(handle);
    if (!read.read_if_live(clock_.read_ns(), tti_ns_)) return nullptr;
    stripe->push_at(reads, ReadEvent::hit(handle));
    return &read;
  }

  /// The live entry of `key`, announced in `pin`; null, with `pin` 0, if there is none.
  [[gnu::noinline]] const Read* locate(const Key& key, HazardRecord& own, Hazard& pin) {
    const std::uint64_t hash = hash_of(key);
    const std::int64_t now_ns = clock_.read_ns();
    const Handle handle = index_.find(hash, own, pin, [&](Handle at) { return is_of(key, at); });
    if (handle != kNullHandle) {
      Read& read = slab_.read_part(handle);
      if (read.read_if_live(now_ns, tti_ns_)) {
        tell(own, ReadEvent::hit(handle), now_ns);
        return &read;
      }
      pin.store(0, std::memory_order_release);
    }
    tell(own, ReadEvent::miss(hash), now_ns);
    // After its event: hits are the events that are no misses.
    if (ReadStripe* stripe = reads_.owned_by(own.index)) {
      stripe->count_miss();
    } else {
      reads_.shared_by(own.index).count_miss_shared();
    }
    return nullptr;
  }

  [[nodiscard]] bool is_last_before_drain(std::uint64_t reads) const {
    return ((reads + 1) & drain_mask_) == 0;
  }

  void tell(HazardRecord& own, ReadEvent event, std::int64_t now_ns) {
    ReadStripe* owned = reads_.owned_by(own.index);
    ReadStripe& stripe = owned ? *owned : reads_.shared_by(own.index);
    const std::uint64_t before = owned ? stripe.push(event) : stripe.push_shared(event);
    if (is_last_before_drain(before)) drain_when_due(stripe, now_ns);
  }

  /// A ring that fills faster than this loses events: the policy needs a sample, not each of the
  /// hits of a hot set.
  void drain_when_due(ReadStripe& stripe, std::int64_t now_ns) {
    if (is_inline()) return drain_at_once(now_ns);
    if (now_ns - stripe.last_drain_ns.load(std::memory_order_relaxed) < kDrainIntervalNs) return;
    stripe.last_drain_ns.store(now_ns, std::memory_order_relaxed);
    drain_if_free();
  }

  void drain_at_once(std::int64_t now_ns) {
    maintain_at(now_ns, [&](std::int64_t, Departures& departures) {
      maintenance_.drain(reads_);
      return maintenance_.expire(now_ns, kUnlimited, departures);
    });
  }

  void drain_if_free() {
    const std::unique_lock lock(mutex_, std::try_to_lock);
    if (lock.owns_lock()) maintenance_.drain(reads_);
  }

  // Writing.

  /// The exact time is only for what expires: reading it costs a fifth of a write.
  [[nodiscard]] std::int64_t birth_ns(const PutOptions& put_options) const {
    const bool expires = put_options.time_to_live || options_.time_to_live || options_.time_to_idle;
    return expires ? clock_.exact_ns() : clock_.read_ns();
  }

  [[nodiscard]] Birth birth_of(const Key& key, const Value& value, std::int64_t now_ns,
                               const PutOptions& put_options) const {
    const auto ttl = put_options.time_to_live ? put_options.time_to_live : options_.time_to_live;
    const auto weigh = [&] {
      const std::uint64_t weight = static_cast<std::uint64_t>(hooks_.weigher(key, value));
      return static_cast<std::uint32_t>(std::min<std::uint64_t>(weight, 0xFFFFFFFFU));
    };
    return {.now_ns = now_ns,
            .expires_ns = ttl ? later(now_ns, ttl->count()) : kNeverNs,
            .born = maintenance_.units_since_origin(now_ns),
            .weight = put_options.weight ? *put_options.weight : weigh()};
  }

  static std::int64_t later(std::int64_t now_ns, std::int64_t by_ns) {
    return by_ns > 0 && now_ns > kNeverNs - by_ns ? kNeverNs
                                                  : now_ns + std::max<std::int64_t>(by_ns, 0);
  }

  template <class Loader>
  std::optional<Value> lead(const Key& key, std::uint64_t hash, const FlightPtr& flight,
                            Loader& loader) {
    std::optional<Value> loaded;
    try {
      // Another flight may have landed between the miss and this one's start.
      loaded = get(key);
      if (loaded) {
        flights_.settle(hash, flight, [] { return true; });
      } else {
        PutOptions put_options;
        loaded = loader(key, put_options);
        keep(key, hash, flight, loaded, put_options);
      }
    } catch (...) {
      flights_.settle(hash, flight, [] { return true; });
      flight->fail(std::current_exception());
      throw;
    }
    flight->land(loaded);
    return loaded;
  }

  void keep(const Key& key, std::uint64_t hash, const FlightPtr& flight,
            const std::optional<Value>& loaded, const PutOptions& put_options) {
    if (!loaded) {
      flights_.settle(hash, flight, [] { return true; });
      return;
    }
    Key own_key = key;
    Value own_value = *loaded;
    const std::int64_t now_ns = birth_ns(put_options);
    Birth birth = birth_of(own_key, own_value, now_ns, put_options);
    birth.yields = true;
    Change change;
    Stored stored = Stored::kYielded;
    while (!flights_.settle(hash, flight, [&] {
      stored = index_.store(hash, own_key, own_value, birth, tti_ns_, change);
      return stored != Stored::kQueueFull;
    })) {
      help(hash, now_ns);
    }
    if (stored == Stored::kStored) after_write(hash, now_ns, change);
  }

  template <class Same>
  bool erase(std::uint64_t hash, std::int64_t now_ns, Same&& same) {
    Change change;
    bool live = false;
    const auto cause = [&](Handle handle) {
      live = slab_.read_part(handle).deadline_ns(tti_ns_) > now_ns;
      return live ? RemovalCause::kRemoved : RemovalCause::kExpired;
    };
    for (;;) {
      switch (index_.erase(hash, same, cause, change)) {
        case Erased::kAbsent:
          return false;
        case Erased::kErased:
          after_write(hash, now_ns, change);
          return live;
        case Erased::kQueueFull:
          help(hash, now_ns);
      }
    }
  }

  /// The shard's queue is full: drain it, after whoever is at it now.
  void help(std::uint64_t hash, std::int64_t now_ns) {
    maintain_shard(std::unique_lock(mutex_), index_.shard_index(hash), now_ns);
  }

  void after_write(std::uint64_t hash, std::int64_t now_ns, Change& change) {
    reclaimer_.retire(std::move(change.old_table));
    if (is_inline()) return help(hash, now_ns);
    if (!change.queue_half_full) return;
    if (hooks_.executor) return schedule_maintenance();
    std::unique_lock lock(mutex_, std::try_to_lock);
    if (lock.owns_lock()) {
      maintain_shard(std::move(lock), index_.shard_index(hash), now_ns);
    }
  }

  void schedule_maintenance() {
    if (scheduled_.exchange(true, std::memory_order_acq_rel)) return;
    hooks_.executor([this] {
      scheduled_.store(false, std::memory_order_release);
      run_maintenance();
    });
  }

  void maintain_shard(std::unique_lock<typename Sync::Mutex> lock, std::size_t shard,
                      std::int64_t now_ns) {
    Departures departures;
    if (maintenance_.evicting()) maintenance_.drain(reads_);
    maintenance_.drain(shard, now_ns, departures);
    maintenance_.expire(now_ns, is_inline() ? kUnlimited : kExpiriesPerStep, departures);
    maintenance_.enforce_bounds(now_ns, departures);
    lock.unlock();
    report(departures);
  }

  // Maintenance.

  /// Runs `step(now_ns, departures)` under the maintenance lock, and reports after it.
  template <class Step>
  bool maintain(Step&& step) {
    return maintain_at(clock_.exact_ns(), step);
  }

  template <class Step>
  bool maintain_at(std::int64_t now_ns, Step&& step) {
    Departures departures;
    bool result = false;
    {
      Sync::yield_point();
      const std::lock_guard lock(mutex_);
      result = step(now_ns, departures);
    }
    report(departures);
    return result;
  }

  void report(const Departures& departures) noexcept {
    if (departures.empty()) return;
    if (hooks_.listener) {
      for (const Handle handle : departures) {
        const Read& read = slab_.read_part(handle);
        hooks_.listener(read.key(), read.value(), slab_.write_part(handle).cause);
      }
    }
    reclaimer_.retire(departures);
  }

  void tick() {
    clock_.publish(options_.janitor_period.count());
    run_maintenance();
  }

  /// After as many departures as entries are left, tables and chunks may have become too large.
  void give_memory_back() {
    {
      const std::lock_guard lock(mutex_);
      const std::uint64_t departed = maintenance_.departed();
      if (departed - departed_at_trim_ < kLeastTrim + index_.entries()) return;
      departed_at_trim_ = departed;
    }
    index_.shrink([this](Table::Ptr table) { reclaimer_.retire(std::move(table)); });
    reclaimer_.reclaim();
    slab_.trim();
  }

  /// At most a few hundred evictions nearer to `wanted`.
  static PolicyBounds one_step_to(const PolicyBounds& wanted, std::uint64_t count,
                                  std::uint64_t weight) {
    const std::uint64_t some = std::min(count, kEvictionsPerStep);
    const std::uint64_t weight_of_some = count == 0 ? 0 : weight / count * some + 1;
    return {.max_entries = std::max(wanted.max_entries, count - some),
            .max_weight_bytes =
                std::max(wanted.max_weight_bytes, weight - std::min(weight, weight_of_some))};
  }

  template <class Visit>
  void visit(Visit&& visit_entry) {
    for (std::size_t shard = 0; shard < index_.shard_count(); ++shard) {
      std::vector<std::uint64_t> hashes = index_.hashes(shard);
      std::sort(hashes.begin(), hashes.end());
      std::size_t same = 0;  // entries before this one with an equal hash
      for (std::size_t i = 0; i < hashes.size(); ++i) {
        same = i > 0 && hashes[i] == hashes[i - 1] ? same + 1 : 0;
        visit_one(hashes[i], same, visit_entry);
      }
    }
  }

  template <class Visit>
  void visit_one(std::uint64_t hash, std::size_t skip, Visit& visit_entry) {
    HazardRecord& own = this_threads_hazards();
    Hazard& pin = free_pin(own);
    const Handle handle = index_.find(hash, own, pin, [&](Handle at) {
      return hash_of(slab_.read_part(at).key()) == hash && skip-- == 0;
    });
    if (handle == kNullHandle) return;
    const PinGuard guard(pin);
    const Read& read = slab_.read_part(handle);
    if (read.deadline_ns(tti_ns_) > clock_.read_ns()) visit_entry(hash, handle, read);
  }

  [[nodiscard]] std::vector<Key> keys_of(const std::vector<Handle>& handles) const {
    std::vector<Key> keys;
    keys.reserve(handles.size());
    for (const Handle handle : handles) keys.push_back(slab_.read_part(handle).key());
    return keys;
  }

  static constexpr std::size_t kUnlimited = std::numeric_limits<std::size_t>::max();
  static constexpr std::uint64_t kMostEntries = std::uint64_t{1} << 30;
  static constexpr std::uint64_t kMostExpected = std::uint64_t{1} << 24;
  static constexpr std::uint64_t kLeastTrim = 1024;

  const CacheOptions options_;
  const Hooks hooks_;
  const std::uint32_t cache_id_ = next_cache_id();
  CacheClock<Clock> clock_;
  const std::int64_t tti_ns_;
  /// Of so many reads of a stripe and one, one may drain it. All do where each read must leave the
  /// short way: in inline mode, and where the kernel does not fence readers.
  const std::uint64_t drain_mask_;
  Slab slab_;
  CacheIndex index_;
  ReadBuffer reads_;
  Flights flights_;
  Reclaimer<Slab, Sync> reclaimer_;

  alignas(kCacheLineBytes) mutable typename Sync::Mutex mutex_;  ///< The maintenance lock.
  CacheMaintenance maintenance_;                                 ///< Guarded by `mutex_`.
  std::uint64_t departed_at_trim_ = 0;                           ///< Guarded by `mutex_`.
  std::atomic<bool> scheduled_{false};

  std::optional<Janitor> janitor_;  ///< Last, so that it ends first.
};

}  // namespace llm_edge_cache::engine
