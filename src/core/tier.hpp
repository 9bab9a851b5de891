// Tier: the one contract that memory, Redis, disk and the rest keep. tests/conformance runs the
// same suite over each of them.
//
// Threads: every call from any thread. A handler is called exactly once: inside the call where the
// tier has the answer at hand, else on one of the tier's threads. It must not block.
// Time: a call completes within the tier's own deadline, whatever its backend does.
// Ownership: entries are shared and immutable. A tier that is destroyed has completed every handler
// (kCancelled where it must) before its destructor returns.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "base/key_digest.hpp"
#include "core/entry.hpp"
#include "core/fleet.hpp"
#include "llm_edge_cache/result.hpp"

namespace llm_edge_cache {

// Monotonic counts since the tier was made.
struct TierCounters {
  std::uint64_t hits = 0;
  std::uint64_t misses = 0;
  std::uint64_t writes = 0;
  std::uint64_t removals = 0;
  std::uint64_t evicted_for_size = 0;    // by the tier itself, to hold its bounds
  std::uint64_t evicted_expired = 0;     // by the tier itself, at their end or when idle
  std::uint64_t errors_unavailable = 0;  // refused by an open breaker, or no connection
  std::uint64_t errors_timeout = 0;
  std::uint64_t errors_protocol = 0;  // the backend answered nonsense or an error
  std::uint64_t errors_corrupt = 0;   // stored bytes that did not verify, deleted
  std::uint64_t dropped_writes = 0;
};

enum class BreakerState { kClosed, kHalfOpen, kOpen };

// Values of now.
struct TierGauges {
  std::uint64_t entries = 0;  // 0 where only a scan could tell; approximate on a disk
  std::uint64_t memory_bytes = 0;
  std::uint64_t disk_bytes = 0;  // 0 for a tier without a disk of its own
  std::uint64_t pending_writes = 0;
  std::uint64_t pending_bytes = 0;
  BreakerState breaker = BreakerState::kClosed;
};

struct KeyedEntry {
  KeyDigest key;
  EntryPtr entry;
};

// One way through all that a tier holds. Entries that are there throughout come at least once (once
// but for a Redis that resizes its table meanwhile), others may come or not; none at or past its
// end. Reading them is no use of them, where the tier can help it. One call at a time; the walk
// lives until the handler was called, the tier longer than the walk.
class TierWalk {
 public:
  static constexpr std::size_t kPageEntries = 64;  // and a few more, where a page cannot be cut

  using Handler = std::function<void(Result<std::vector<KeyedEntry>>)>;

  virtual ~TierWalk() = default;
  // The next entries; none: the end. The handler is called as those of a tier. After an error
  // the walk is over.
  virtual void next(Handler handler) = 0;
};

class Tier {
 public:
  template <class T>
  using Handler = std::function<void(T)>;

  virtual ~Tier() = default;

  // "l1", "l2", "l3": the label in metrics and Cache-Status.
  [[nodiscard]] virtual std::string_view name() const = 0;

  // Null where the tier has no entry that is fresh or may be served stale. Never returns an entry
  // at or past its end (stale_until_ms, or expires_ms where that is 0 or earlier).
  virtual void get(const KeyDigest& key, Handler<Result<EntryPtr>> handler) = 0;
  // As get(), for a caller that does nothing else until the handler has run: the call may take as
  // long as that, which lets a tier do the caller's work on the caller's thread.
  virtual void get_and_wait(const KeyDigest& key, Handler<Result<EntryPtr>> handler) {
    get(key, std::move(handler));
  }

  // Keeps the entry until its own end at most, replacing what was there. An entry that is past its
  // end already is not stored. Fire and forget: what is lost is counted in dropped_writes.
  // What cannot be written because of its size leaves nothing in its place: the key's former entry
  // would come back.
  // A get after the put returned may or may not see it in a tier that writes behind; flush() tells.
  virtual void put(const KeyDigest& key, EntryPtr entry) = 0;

  // True where an entry was there. Later than every put that returned before the call.
  virtual void remove(const KeyDigest& key, Handler<Result<bool>> handler) = 0;
  // Removes all that this tier's prefix or folder holds. Later than every earlier put.
  virtual void clear(Handler<Status> handler) = 0;
  // Entries held, exact in memory and approximate elsewhere.
  virtual void size(Handler<Result<std::uint64_t>> handler) = 0;
  // Completes when every put that returned before the call has been written or dropped.
  virtual void flush(Handler<Status> handler) = 0;
  // Asks the backend; ok where it answers within the deadline.
  virtual void check(Handler<Status> handler) = 0;

  // Holds a page in memory at a time, and the keys of a tier that is in memory itself.
  [[nodiscard]] virtual std::shared_ptr<TierWalk> walk() = 0;

  // Whether other processes may write to what this tier writes to.
  [[nodiscard]] virtual bool is_shared() const { return true; }
  // Null where no other process shares the tier.
  [[nodiscard]] virtual Fleet* fleet() { return nullptr; }

  [[nodiscard]] virtual TierCounters counters() const = 0;
  [[nodiscard]] virtual TierGauges gauges() const = 0;

  // True on a thread that the destructor joins: there the tier must be neither destroyed nor
  // waited for.
  [[nodiscard]] virtual bool runs_on_this_thread() const { return false; }
};

// A tier that answers on the caller's thread, without a handler to allocate.
class LocalTier : public Tier {
 public:
  // As get; now_ms is the caller's reading of the tier's clock.
  [[nodiscard]] virtual EntryPtr find(const KeyDigest& key, UnixMillis now_ms) = 0;
  virtual bool erase(const KeyDigest& key) = 0;
  virtual void erase_all() = 0;

  void remove(const KeyDigest& key, Handler<Result<bool>> handler) final { handler(erase(key)); }
  void clear(Handler<Status> handler) final {
    erase_all();
    handler(Status());
  }
  void size(Handler<Result<std::uint64_t>> handler) final { handler(gauges().entries); }
  void flush(Handler<Status> handler) final { handler(Status()); }
  void check(Handler<Status> handler) final { handler(Status()); }
};

}  // namespace llm_edge_cache
