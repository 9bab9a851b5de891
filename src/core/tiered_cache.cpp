#include "core/tiered_cache.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <optional>
#include <utility>

#include "core/tag_stamp.hpp"

namespace llm_edge_cache {
namespace {

using SteadyClock = std::chrono::steady_clock;

LookedUp judge(LookupOutcome hit, EntryPtr entry, UnixMillis now_ms) {
  if (entry == nullptr || now_ms >= entry->end_ms()) return {};
  const bool fresh = entry->is_fresh(now_ms);
  return {fresh ? hit : LookupOutcome::kStale, std::move(entry)};
}

TierAnswer answer_of(const LookedUp& looked_up) {
  if (looked_up.is_hit()) return TierAnswer::kHit;
  return looked_up.entry != nullptr ? TierAnswer::kStale : TierAnswer::kNothing;
}

std::uint64_t errors_of(const TierCounters& counters) {
  return counters.errors_unavailable + counters.errors_timeout + counters.errors_protocol +
         counters.errors_corrupt;
}

TierMetrics metrics_of(const TierReport& report) {
  return {.hits = report.lookups.hits,
          .misses = report.lookups.misses,
          .writes = report.counters.writes,
          .errors = errors_of(report.counters),
          .dropped_writes = report.counters.dropped_writes};
}

}  // namespace

TieredCache::TieredCache(std::unique_ptr<LocalTier> l1, std::unique_ptr<Tier> l2, ClockPtr clock)
    : clock_(std::move(clock)),
      l1_(std::move(l1)),
      l2_(std::move(l2)),
      fleet_(l2_ == nullptr ? nullptr : l2_->fleet()) {
  if (fleet_ != nullptr) fleet_->listen(*this);
}

TieredCache::~TieredCache() = default;

void TieredCache::lookup(const KeyDigest& key, Handler<LookedUp> handler) {
  auto from_l1 = lookup_l1(key);
  if (from_l1.is_hit()) return handler(std::move(from_l1));
  lookup_l2(key, std::move(from_l1), std::move(handler));
}

LookedUp TieredCache::lookup_l1(const KeyDigest& key, UnixMillis now_ms) {
  std::optional<SteadyClock::time_point> started;
  if (is_turn_to_time()) started = SteadyClock::now();
  auto from_l1 = judge(LookupOutcome::kL1Hit, l1_->find(key, now_ms), now_ms);
  if (from_l1.entry != nullptr && !has_current_tags(*from_l1.entry, now_ms)) from_l1 = {};
  std::optional<std::chrono::nanoseconds> latency;
  if (started) latency = SteadyClock::now() - *started;
  l1_stats_.record(answer_of(from_l1), latency);
  return from_l1;
}

void TieredCache::lookup_l2(const KeyDigest& key, LookedUp from_l1, Handler<LookedUp> handler) {
  if (l2_ == nullptr) return handler(std::move(from_l1));
  l2_->get(key, on_l2_reply(key, std::move(from_l1), std::move(handler)));
}

void TieredCache::lookup_l2_and_wait(const KeyDigest& key, LookedUp from_l1,
                                     Handler<LookedUp> handler) {
  if (l2_ == nullptr) return handler(std::move(from_l1));
  l2_->get_and_wait(key, on_l2_reply(key, std::move(from_l1), std::move(handler)));
}

TieredCache::Handler<Result<EntryPtr>> TieredCache::on_l2_reply(const KeyDigest& key,
                                                                LookedUp from_l1,
                                                                Handler<LookedUp> handler) {
  auto conclude = [this, key, started = SteadyClock::now(), ticket = gate_.ticket(key),
                   from_l1 = std::move(from_l1),
                   handler = std::move(handler)](Result<EntryPtr> reply) mutable {
    LookedUp from_l2;
    const bool answered = reply.ok();
    if (answered) {
      from_l2 = judge(LookupOutcome::kL2Hit, std::move(reply).value(), clock_->now_ms());
    }
    l2_stats_.record(answered ? answer_of(from_l2) : TierAnswer::kFailed,
                     SteadyClock::now() - started);
    handler(finish_lookup(key, ticket, std::move(from_l1), std::move(from_l2)));
  };
  return [this, conclude = std::move(conclude)](Result<EntryPtr> reply) mutable {
    if (!reply.ok() || *reply == nullptr || (*reply)->tags.empty()) {
      return conclude(std::move(reply));
    }
    const EntryPtr entry = *reply;
    confirm_tags(entry, [conclude = std::move(conclude), entry](bool is_current) mutable {
      conclude(is_current ? entry : EntryPtr());
    });
  };
}

LookedUp TieredCache::finish_lookup(const KeyDigest& key, PromotionGate::Ticket ticket,
                                    LookedUp from_l1, LookedUp from_l2) {
  if (from_l2.is_hit()) {
    gate_.try_promote(key, ticket, [&] { l1_->put(key, from_l2.entry); });
    return from_l2;
  }
  // L2 may have told of a purge meanwhile.
  if (from_l1.entry == nullptr || !has_current_tags(*from_l1.entry, clock_->now_ms())) {
    return from_l2;
  }
  if (from_l2.entry == nullptr) return from_l1;
  return from_l1.entry->expires_ms < from_l2.entry->expires_ms ? from_l2 : from_l1;
}

void TieredCache::store(const KeyDigest& key, const EntryPtr& entry) {
  if (!entry->tags.empty()) return store(key, entry, stamp(entry->tags));
  write_both(key, entry, nullptr, nullptr);
}

void TieredCache::store(const KeyDigest& key, const EntryPtr& entry, const TagTicketPtr& ticket,
                        FlightLeasePtr lease, const RemovalWatchPtr& watch) {
  if (ticket == nullptr) {
    if (!entry->tags.empty()) return store(key, entry);
    return write_both(key, entry, std::move(lease), watch);
  }
  ticket->when_ready([this, key, entry, ticket, lease = std::move(lease),
                      watch](const std::vector<TagStamp>* stamps) {
    if (stamps == nullptr) return;
    auto stamped = std::make_shared<Entry>(*entry);
    stamped->tags = ticket->tags();
    stamped->tag_stamps = *stamps;
    write_both(key, stamped, lease, watch);
  });
}

// L2's write is queued under the gate's lock: a removal that comes later is behind it, and one that
// came before has ended the watch.
void TieredCache::write_both(const KeyDigest& key, const EntryPtr& entry, FlightLeasePtr lease,
                             const RemovalWatchPtr& watch) {
  gate_.store(key, [&] {
    if (watch != nullptr && watch->is_over()) return;
    l1_->put(key, entry);
    if (l2_ == nullptr) return;
    if (lease != nullptr && fleet_ != nullptr) return fleet_->put(key, entry, std::move(lease));
    l2_->put(key, entry);
  });
}

void TieredCache::take_turn(const KeyDigest& key, Fleet::TurnHandler handler) {
  if (fleet_ == nullptr) return handler({});
  fleet_->take_turn(key, std::move(handler));
}

// A lookup that began before, and brings what was there then, is not promoted.
void TieredCache::on_changed(const KeyDigest& key) {
  watches_->note(key);
  on_overtaken(key);
  watches_->note(key);  // what began meanwhile may have found what memory still had
}

void TieredCache::on_overtaken(const KeyDigest& key) {
  bool was_there = false;
  gate_.begin_removal(key, [&] { was_there = l1_->erase(key); });
  gate_.end_removal(key);
  if (was_there) fleet_drops_.fetch_add(1, std::memory_order_relaxed);
}

void TieredCache::on_all_changed() {
  watches_->note_all();
  gate_.begin_clear();
  l1_->erase_all();
  watches_->note_all();
  gate_.end_clear();
  fleet_clears_.fetch_add(1, std::memory_order_relaxed);
}

TagTicketPtr TieredCache::stamp(std::vector<std::string> tags) {
  if (tags.empty()) return nullptr;
  auto watches = watch({}, tags);
  const auto ticket = std::make_shared<TagTicket>(std::move(tags), std::move(watches));
  for (std::size_t i = 0; i < ticket->tags().size(); ++i) find_generation(ticket, i);
  return ticket;
}

std::vector<RemovalWatchPtr> TieredCache::watch(std::span<const KeyDigest> keys,
                                                std::span<const std::string> tags) {
  std::vector<RemovalWatchPtr> watches;
  watches.reserve(keys.size() + tags.size());
  for (const auto& key : keys) watches.push_back(watch(key));
  for (const auto& tag : tags) watches.push_back(watch(tag_marker_key(tag)));
  return watches;
}

void TieredCache::find_generation(const TagTicketPtr& ticket, std::size_t index) {
  const KeyDigest marker = tag_marker_key(ticket->tags()[index]);
  const auto before = gate_.removal_ticket(marker);
  const EntryPtr in_l1 = l1_->find(marker, clock_->now_ms());
  if (const auto known = generation_of(in_l1); known != 0) {
    renew_marker(marker, *in_l1, before);
    return ticket->set(index, {marker, known});
  }
  if (l2_ == nullptr) {
    return ticket->set(index, {marker, begin_generation(marker, before, /*also_in_l2=*/false)});
  }
  fetch_marker(marker, [this, ticket, index, marker, before](const Result<EntryPtr>& fetched) {
    auto generation = fetched.ok() ? generation_of(*fetched) : 0;
    if (generation == 0) generation = begin_generation(marker, before, fetched.ok());
    ticket->set(index, {marker, generation});
  });
}

void TieredCache::fetch_marker(const KeyDigest& marker, Handler<Result<EntryPtr>> handler) {
  const auto ticket = gate_.ticket(marker);
  l2_->get(marker, [this, marker, ticket, handler = std::move(handler)](Result<EntryPtr> fetched) {
    if (fetched.ok() && generation_of(*fetched) != 0) {
      gate_.try_promote(marker, ticket, [&] { l1_->put(marker, *fetched); });
    }
    handler(std::move(fetched));
  });
}

// L2's write is queued under the gate's lock: a purge that comes later is behind it.
std::uint64_t TieredCache::begin_generation(const KeyDigest& marker, PromotionGate::Ticket ticket,
                                            bool also_in_l2) {
  std::uint64_t generation = 0;
  gate_.try_unless_removed(marker, ticket, [&] {
    const auto now_ms = clock_->now_ms();
    generation = generation_of(l1_->find(marker, now_ms));  // another's, meanwhile
    if (generation != 0) return;
    const EntryPtr begun = make_tag_marker(now_ms);
    generation = generation_of(begun);
    l1_->put(marker, begun);
    if (also_in_l2) l2_->put(marker, begun);
  });
  return generation;
}

// A tier that drops what is oldest would lose the marker before the answers under it. Where others
// write, too, it may have been removed by them, and must not come back.
void TieredCache::renew_marker(const KeyDigest& marker, const Entry& known,
                               PromotionGate::Ticket ticket) {
  constexpr UnixMillis kRenewedAfterMs = 30'000;
  const auto now_ms = clock_->now_ms();
  if (l2_ == nullptr || l2_->is_shared() ||
      now_ms - known.response.cached_at_ms < kRenewedAfterMs) {
    return;
  }
  gate_.try_unless_removed(marker, ticket, [&] {
    const EntryPtr renewed = renewed_tag_marker(known, now_ms);
    l1_->put(marker, renewed);
    l2_->put(marker, renewed);
  });
}

void TieredCache::purge_tag(std::string_view tag, Handler<Status> handler) {
  remove(tag_marker_key(tag), [handler = std::move(handler)](const Result<bool>& removed) {
    handler(removed.ok() ? Status() : Status(removed.error()));
  });
}

bool TieredCache::has_current_tags(const Entry& entry, UnixMillis now_ms) {
  if (entry.tags.empty()) return true;
  if (entry.tag_stamps.size() != entry.tags.size()) return false;
  return std::all_of(entry.tag_stamps.begin(), entry.tag_stamps.end(), [&](const TagStamp& stamp) {
    return stamp.generation != 0 &&
           generation_of(l1_->find(stamp.marker, now_ms)) == stamp.generation;
  });
}

void TieredCache::confirm_tags(const EntryPtr& entry, Handler<bool> handler) {
  if (l2_ == nullptr || entry->tags.empty() || entry->tag_stamps.size() != entry->tags.size()) {
    return handler(has_current_tags(*entry, clock_->now_ms()));
  }
  struct Shared {
    std::atomic<std::size_t> missing;
    std::atomic<bool> is_current{true};
    Handler<bool> handler;
  };
  const auto shared = std::make_shared<Shared>();
  shared->missing = entry->tag_stamps.size();
  shared->handler = std::move(handler);
  for (const TagStamp& stamp : entry->tag_stamps) {
    fetch_marker(stamp.marker, [this, shared, stamp](const Result<EntryPtr>& fetched) {
      const bool is_same =
          fetched.ok() && stamp.generation != 0 && generation_of(*fetched) == stamp.generation;
      if (fetched.ok() && *fetched == nullptr) forget_marker(stamp.marker);
      if (!is_same) shared->is_current.store(false, std::memory_order_relaxed);
      if (shared->missing.fetch_sub(1, std::memory_order_acq_rel) > 1) return;
      shared->handler(shared->is_current.load(std::memory_order_relaxed));
    });
  }
}

// L2 has lost it: what is stored from now on gets a generation that L2 knows.
void TieredCache::forget_marker(const KeyDigest& marker) {
  gate_.begin_removal(marker, [&] { (void)l1_->erase(marker); });
  gate_.end_removal(marker);
}

void TieredCache::inspect(const KeyDigest& key, Handler<Inspected> handler) {
  const EntryPtr in_l1 = l1_->find(key, clock_->now_ms());
  if (l2_ == nullptr) return handler({in_l1, nullptr});
  l2_->get(key, [in_l1, handler = std::move(handler)](Result<EntryPtr> in_l2) {
    handler({in_l1, in_l2.ok() ? std::move(in_l2).value() : nullptr});
  });
}

void TieredCache::remove(const KeyDigest& key, Handler<Result<bool>> handler) {
  bool in_l1 = false;
  watches_->note(key);
  gate_.begin_removal(key, [&] { in_l1 = l1_->erase(key); });
  if (l2_ == nullptr) {
    watches_->note(key);  // what began meanwhile may have found what was still there
    gate_.end_removal(key);
    return handler(in_l1);
  }
  l2_->remove(key, [this, key, in_l1, handler = std::move(handler)](Result<bool> in_l2) {
    watches_->note(key);
    gate_.end_removal(key);
    if (!in_l2.ok()) return handler(std::move(in_l2));
    handler(in_l1 || in_l2.value());
  });
}

void TieredCache::clear(Handler<Status> handler) {
  watches_->note_all();
  gate_.begin_clear();
  l1_->erase_all();
  if (l2_ == nullptr) {
    watches_->note_all();
    gate_.end_clear();
    return handler(Status());
  }
  l2_->clear([this, handler = std::move(handler)](Status cleared) {
    watches_->note_all();
    gate_.end_clear();
    handler(std::move(cleared));
  });
}

void TieredCache::check(Handler<HealthStatus> handler) {
  HealthStatus health{.l1_healthy = true, .l2_healthy = false, .l2_configured = l2_ != nullptr};
  if (l2_ == nullptr) return handler(health);
  l2_->check([health, handler = std::move(handler)](const Status& checked) mutable {
    health.l2_healthy = checked.ok();
    handler(health);
  });
}

void TieredCache::flush(Handler<Status> handler) {
  if (l2_ == nullptr) return handler(Status());
  l2_->flush(std::move(handler));
}

void TieredCache::l2_size(Handler<Result<std::uint64_t>> handler) {
  if (l2_ == nullptr) return handler(Error{ErrorCode::kUnavailable, "no L2 is configured"});
  l2_->size(std::move(handler));
}

bool TieredCache::runs_on_this_thread() const {
  return l2_ != nullptr && l2_->runs_on_this_thread();
}

TierReport TieredCache::l1_report() const {
  return {l1_stats_.totals(), l1_->counters(), l1_->gauges()};
}

TierReport TieredCache::l2_report() const {
  if (l2_ == nullptr) return {};
  return {l2_stats_.totals(), l2_->counters(), l2_->gauges()};
}

FleetReport TieredCache::fleet_report() const {
  FleetReport report = fleet_ == nullptr ? FleetReport() : fleet_->report();
  report.l1_drops = fleet_drops_.load(std::memory_order_relaxed);
  report.l1_clears = fleet_clears_.load(std::memory_order_relaxed);
  return report;
}

MetricsSnapshot TieredCache::metrics_snapshot() const {
  MetricsSnapshot snapshot;
  const auto l1 = l1_report();
  snapshot.l1 = metrics_of(l1);
  snapshot.l2 = metrics_of(l2_report());
  snapshot.total_requests = l1.lookups.hits + l1.lookups.misses;
  return snapshot;
}

}  // namespace llm_edge_cache
