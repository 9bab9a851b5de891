// TieredCache: the tiers in order, and what holds between them.
//
//   lookup   L1, then L2; what L2 has goes into L1 with the life that it has left
//   store    L1 at once, L2 behind
//   remove   L1 at once, L2 acknowledged; wins over every lookup that was under way, and over every
//            answer that is being asked for (core/removal_watch.hpp)
//   others   that share L2 and change an answer there end it in this L1 as well (core/fleet.hpp)
//   purge    of a tag: removes its marker (core/tag_stamp.hpp), which ends every answer under it in
//            every tier, and every one on its way into them
//
// A tier that fails is a tier that has nothing: counted, never an error of a lookup.
//
// Threads: every call from any thread. Handlers are called exactly once: inside the call where
// there is nothing to wait for (L1 decides, L2 is absent or known to be away), else on a thread of
// L2, which they must not block.
//
// Ownership: the tiers belong to the cache. Its destructor completes every handler that is
// outstanding and must not run on a thread of L2 (runs_on_this_thread()).
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/key_digest.hpp"
#include "core/entry.hpp"
#include "core/fleet.hpp"
#include "core/lookup_stats.hpp"
#include "core/promotion_gate.hpp"
#include "core/removal_watch.hpp"
#include "core/tag_ticket.hpp"
#include "core/tier.hpp"
#include "llm_edge_cache/clock.hpp"
#include "llm_edge_cache/health.hpp"
#include "llm_edge_cache/lookup_result.hpp"
#include "llm_edge_cache/metrics_snapshot.hpp"

namespace llm_edge_cache {

// kL1Hit and kL2Hit carry a fresh entry, kStale one past its expires_ms that may be served until
// its stale_until_ms (the caller decides), kMiss null.
struct LookedUp {
  LookupOutcome outcome = LookupOutcome::kMiss;
  EntryPtr entry;

  [[nodiscard]] bool is_hit() const {
    return outcome == LookupOutcome::kL1Hit || outcome == LookupOutcome::kL2Hit;
  }
};

// What a scrape reads of one tier.
struct TierReport {
  LookupTotals lookups;
  TierCounters counters;
  TierGauges gauges;
};

class TieredCache : private FleetListener {
 public:
  template <class T>
  using Handler = std::function<void(T)>;

  // l2 may be null. The clock tells fresh from stale; it is the one that the tiers use.
  TieredCache(std::unique_ptr<LocalTier> l1, std::unique_ptr<Tier> l2, ClockPtr clock);
  TieredCache(const TieredCache&) = delete;
  TieredCache& operator=(const TieredCache&) = delete;
  ~TieredCache() override;

  // The whole lookup. The handler runs inside the call where L1 has a fresh entry or there is no
  // L2.
  void lookup(const KeyDigest& key, Handler<LookedUp> handler);

  // The two halves of a lookup, for callers that answer L1's hits without a handler. A lookup is
  // counted once, by the first half; the second is for what the first did not hit.
  [[nodiscard]] LookedUp lookup_l1(const KeyDigest& key) {
    return lookup_l1(key, clock_->now_ms());
  }
  // The same for a caller that has just looked at the cache's clock.
  [[nodiscard]] LookedUp lookup_l1(const KeyDigest& key, UnixMillis now_ms);
  void lookup_l2(const KeyDigest& key, LookedUp from_l1, Handler<LookedUp> handler);
  // The same for a caller that waits for its handler; the call may take as long as L2 does.
  void lookup_l2_and_wait(const KeyDigest& key, LookedUp from_l1, Handler<LookedUp> handler);

  // Returns when the entry is in L1 and queued for L2. Tags of the entry count as they stand now;
  // where L2 has to be asked for that, the entry enters both tiers once it has answered.
  void store(const KeyDigest& key, const EntryPtr& entry);
  // The same with tags as they stood when the ticket was made; they take the place of the entry's.
  // What was purged since is not stored. Null: no tags. A lease, where there is one, ends with it,
  // and what came after the lease was lost is not kept. Nor is anything whose watch is over.
  void store(const KeyDigest& key, const EntryPtr& entry, const TagTicketPtr& ticket,
             FlightLeasePtr lease = nullptr, const RemovalWatchPtr& watch = nullptr);

  // Before the provider is asked (Fleet::take_turn); kAlone, inside the call, where no other
  // process shares L2.
  void take_turn(const KeyDigest& key, Fleet::TurnHandler handler);

  // To be called before the answer is asked for: a purge from then on wins over its store(). Null
  // for no tags. Where L2 cannot be asked, the answer will be good for this process alone.
  [[nodiscard]] TagTicketPtr stamp(std::vector<std::string> tags);
  // Likewise, for a removal of the key or of everything, here or by another process that shares L2.
  // What another process stores under the key ends it as well: L2 then has the younger answer.
  [[nodiscard]] RemovalWatchPtr watch(const KeyDigest& key) { return watches_->watch(key); }
  // Of all that an answer to these keys under these tags could be purged by.
  [[nodiscard]] std::vector<RemovalWatchPtr> watch(std::span<const KeyDigest> keys,
                                                   std::span<const std::string> tags);
  // Counts what ends watches: for whoever has looked something up before it takes them.
  [[nodiscard]] std::uint64_t removals() const { return watches_->count(); }
  // Ends all answers under the tag: those that are stored, and those for which a ticket exists.
  // Takes as long as remove() does, however many they are; their bytes stay until they expire or
  // are evicted.
  void purge_tag(std::string_view tag, Handler<Status> handler);

  // True where any tier had it. L1 has forgotten it when the call returns; the error is L2's.
  void remove(const KeyDigest& key, Handler<Result<bool>> handler);
  // Empties both tiers, as remove does for one key.
  void clear(Handler<Status> handler);

  // What each tier has under the key, without any effect on it or on the statistics. An entry whose
  // tags were purged is there until it is evicted.
  struct Inspected {
    EntryPtr in_l1;
    EntryPtr in_l2;  // null as well where L2 failed
  };
  void inspect(const KeyDigest& key, Handler<Inspected> handler);
  // A way through each tier; null where there is no L2.
  [[nodiscard]] std::shared_ptr<TierWalk> walk_l1() { return l1_->walk(); }
  [[nodiscard]] std::shared_ptr<TierWalk> walk_l2() { return l2_ ? l2_->walk() : nullptr; }
  // Whether the entry's tags are as they were when it was stored.
  void confirm_tags(const EntryPtr& entry, Handler<bool> handler);

  void check(Handler<HealthStatus> handler);
  // Completes when every earlier store has reached L2 or was dropped.
  void flush(Handler<Status> handler);
  // Entries in L2, by its own means; kUnavailable where there is no L2.
  void l2_size(Handler<Result<std::uint64_t>> handler);

  [[nodiscard]] bool has_l2() const { return l2_ != nullptr; }
  [[nodiscard]] bool runs_on_this_thread() const;

  [[nodiscard]] TierReport l1_report() const;
  [[nodiscard]] TierReport l2_report() const;  // zeros where there is no L2
  [[nodiscard]] FleetReport fleet_report() const;
  [[nodiscard]] MetricsSnapshot metrics_snapshot() const;

 private:
  void on_changed(const KeyDigest& key) override;
  void on_all_changed() override;
  void on_overtaken(const KeyDigest& key) override;
  void write_both(const KeyDigest& key, const EntryPtr& entry, FlightLeasePtr lease,
                  const RemovalWatchPtr& watch);
  [[nodiscard]] bool has_current_tags(const Entry& entry, UnixMillis now_ms);
  void find_generation(const TagTicketPtr& ticket, std::size_t index);
  // The marker that L2 has, promoted.
  void fetch_marker(const KeyDigest& marker, Handler<Result<EntryPtr>> handler);
  void forget_marker(const KeyDigest& marker);
  void renew_marker(const KeyDigest& marker, const Entry& known, PromotionGate::Ticket ticket);
  // A generation for a tag that has none; 0 where it was purged since the
  // removal ticket.
  [[nodiscard]] std::uint64_t begin_generation(const KeyDigest& marker,
                                               PromotionGate::Ticket ticket, bool also_in_l2);
  // What becomes of L2's answer.
  Handler<Result<EntryPtr>> on_l2_reply(const KeyDigest& key, LookedUp from_l1,
                                        Handler<LookedUp> handler);
  // The better of what the two tiers had, promoting L2's where it is fresh.
  LookedUp finish_lookup(const KeyDigest& key, PromotionGate::Ticket ticket, LookedUp from_l1,
                         LookedUp from_l2);

  LookupStats l1_stats_;
  LookupStats l2_stats_;
  PromotionGate gate_;
  const std::shared_ptr<RemovalWatches> watches_ = std::make_shared<RemovalWatches>();
  std::atomic<std::uint64_t> fleet_drops_{0};
  std::atomic<std::uint64_t> fleet_clears_{0};
  const ClockPtr clock_;
  const std::unique_ptr<LocalTier> l1_;
  // Last: its destructor completes handlers that use the others.
  const std::unique_ptr<Tier> l2_;
  Fleet* const fleet_;  // of L2; null for none
};

}  // namespace llm_edge_cache
