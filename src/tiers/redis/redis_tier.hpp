// L2 in a Redis server: GET, SET .. PX, UNLINK and SCAN over one pipelined connection per I/O
// thread. A key always takes the same connection, so that a removal meets the writes before it.
//
// How long calls take: get() and check() one operation deadline at most, and nothing at all while
// the server is known to be away (kUnavailable, inside the call). remove() one operation deadline
// behind the writes that wait, and one on the wire; what it could not confirm is still removed when
// the server is back. flush() shutdown_flush_ms, or one operation deadline
// where that is longer. size() and clear() go through the keyspace and end
// after scan_timeout_ms (clear() after a flush) with kDeadlineExceeded; at most kMaxWalks of them
// run at a time, and kMaxFlushes flushes; more are refused with kOverloaded.
//
// While the server is away writes wait, within max_pending_writes and max_pending_bytes, and are
// sent when it is back. Those that were on the wire when a connection broke are lost, and counted;
// removals among them are sent again.
//
// Processes that share the server, the prefix and the database are a fleet (core/fleet.hpp): a
// connection more for their channel, and a key more for each flight that is under way.
//
// A host name that does not resolve can hold up the destructor for as long as the system's resolver
// takes; addresses, localhost in /etc/hosts and unix sockets cannot.
#pragma once

#include <cstdint>
#include <memory>

#include "core/tier.hpp"
#include "llm_edge_cache/clock.hpp"
#include "llm_edge_cache/config.hpp"
#include "llm_edge_cache/result.hpp"
#include "tiers/common/tier_event.hpp"

namespace llm_edge_cache::redis {

struct RedisTierOptions {
  TierEventSink on_event;
  std::uint64_t scan_timeout_ms = 30'000;  // of size() and of clear(), 1 to a day
};

class RedisTier final : public Tier {
 public:
  static constexpr std::size_t kMaxWalks = 8;
  static constexpr std::size_t kMaxFlushes = 1'024;

  // kInvalidArgument where the configuration or its URL cannot be used; the error of a key or
  // dictionary that cannot. Never waits for the server: one that is down is tried again in the
  // background.
  [[nodiscard]] static Result<std::unique_ptr<RedisTier>> create(
      const L2Config& config, ClockPtr clock, const RedisTierOptions& options = {});
  // Waits up to shutdown_flush_ms for pending writes, then joins the I/O threads.
  ~RedisTier() override;

  [[nodiscard]] std::string_view name() const override { return "l2"; }
  void get(const KeyDigest& key, Handler<Result<EntryPtr>> handler) override;
  // On the caller's thread, over a connection for that alone, where the store is one server without
  // TLS and at most DirectReader::kMaxLines callers wait; else as get(). Two operation deadlines at
  // most: one directly, and another where the connection broke.
  void get_and_wait(const KeyDigest& key, Handler<Result<EntryPtr>> handler) override;
  void put(const KeyDigest& key, EntryPtr entry) override;
  void remove(const KeyDigest& key, Handler<Result<bool>> handler) override;
  void clear(Handler<Status> handler) override;
  void size(Handler<Result<std::uint64_t>> handler) override;
  void flush(Handler<Status> handler) override;
  void check(Handler<Status> handler) override;
  // SCAN for the keys of a page, then a GET for each. Of a store that changes its shape meanwhile
  // entries may be missing.
  [[nodiscard]] std::shared_ptr<TierWalk> walk() override;
  // L2Config::coherence and flight_lease_ms say what of it works.
  [[nodiscard]] Fleet* fleet() override;
  [[nodiscard]] TierCounters counters() const override;
  // The breaker is the worst of the connections' ones.
  [[nodiscard]] TierGauges gauges() const override;
  [[nodiscard]] bool runs_on_this_thread() const override;

 private:
  struct Impl;

  explicit RedisTier(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

}  // namespace llm_edge_cache::redis
