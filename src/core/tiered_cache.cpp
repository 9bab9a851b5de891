#include "core/tiered_cache.hpp"

#include <chrono>
#include <utility>

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
    : clock_(std::move(clock)), l1_(std::move(l1)), l2_(std::move(l2)) {}

TieredCache::~TieredCache() = default;

void TieredCache::lookup(const KeyDigest& key, Handler<LookedUp> handler) {
  auto from_l1 = lookup_l1(key);
  if (from_l1.is_hit()) return handler(std::move(from_l1));
  lookup_l2(key, std::move(from_l1), std::move(handler));
}

LookedUp TieredCache::lookup_l1(const KeyDigest& key) {
  const auto started = SteadyClock::now();
  const auto now_ms = clock_->now_ms();
  auto from_l1 = judge(LookupOutcome::kL1Hit, l1_->find(key, now_ms), now_ms);
  l1_stats_.record(answer_of(from_l1), SteadyClock::now() - started);
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
  return
      [this, key, started = SteadyClock::now(), ticket = gate_.ticket(key),
       from_l1 = std::move(from_l1), handler = std::move(handler)](Result<EntryPtr> reply) mutable {
        LookedUp from_l2;
        const bool answered = reply.ok();
        if (answered) {
          from_l2 = judge(LookupOutcome::kL2Hit, std::move(reply).value(), clock_->now_ms());
        }
        l2_stats_.record(answered ? answer_of(from_l2) : TierAnswer::kFailed,
                         SteadyClock::now() - started);
        handler(finish_lookup(key, ticket, std::move(from_l1), std::move(from_l2)));
      };
}

LookedUp TieredCache::finish_lookup(const KeyDigest& key, PromotionGate::Ticket ticket,
                                    LookedUp from_l1, LookedUp from_l2) {
  if (from_l2.is_hit()) {
    gate_.try_promote(key, ticket, [&] { l1_->put(key, from_l2.entry); });
    return from_l2;
  }
  if (from_l1.entry == nullptr) return from_l2;
  if (from_l2.entry == nullptr) return from_l1;
  return from_l1.entry->expires_ms < from_l2.entry->expires_ms ? from_l2 : from_l1;
}

void TieredCache::store(const KeyDigest& key, const EntryPtr& entry) {
  gate_.store(key, [&] { l1_->put(key, entry); });
  if (l2_ != nullptr) l2_->put(key, entry);
}

void TieredCache::remove(const KeyDigest& key, Handler<Result<bool>> handler) {
  bool in_l1 = false;
  gate_.begin_removal(key, [&] { in_l1 = l1_->erase(key); });
  if (l2_ == nullptr) {
    gate_.end_removal(key);
    return handler(in_l1);
  }
  l2_->remove(key, [this, key, in_l1, handler = std::move(handler)](Result<bool> in_l2) {
    gate_.end_removal(key);
    if (!in_l2.ok()) return handler(std::move(in_l2));
    handler(in_l1 || in_l2.value());
  });
}

void TieredCache::clear(Handler<Status> handler) {
  gate_.begin_clear();
  l1_->erase_all();
  if (l2_ == nullptr) {
    gate_.end_clear();
    return handler(Status());
  }
  l2_->clear([this, handler = std::move(handler)](Status cleared) {
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

MetricsSnapshot TieredCache::metrics_snapshot() const {
  MetricsSnapshot snapshot;
  const auto l1 = l1_report();
  snapshot.l1 = metrics_of(l1);
  snapshot.l2 = metrics_of(l2_report());
  snapshot.total_requests = l1.lookups.hits + l1.lookups.misses;
  return snapshot;
}

}  // namespace llm_edge_cache
