// What readers tell the policy: striped lossy rings, which also count hits and misses.
//
// Each of the first threads owns a stripe, on lines that nobody else writes; further threads share
// a few stripes with atomic increments.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <thread>

#include "llm_edge_cache/engine/platform.hpp"
#include "llm_edge_cache/engine/policy/node_links.hpp"

namespace llm_edge_cache::engine {

/// A hit names its node; a miss its hash, short of the lowest bit. No event is all zeros.
class ReadEvent {
 public:
  static ReadEvent hit(Handle handle) { return ReadEvent(std::uint64_t{handle} * 2 + 2); }
  static ReadEvent miss(std::uint64_t hash) { return ReadEvent(hash | 1); }
  static ReadEvent from_bits(std::uint64_t bits) { return ReadEvent(bits); }

  [[nodiscard]] bool is_hit() const { return (bits_ & 1) == 0; }
  [[nodiscard]] Handle handle() const { return static_cast<Handle>((bits_ - 2) >> 1); }
  [[nodiscard]] std::uint64_t hash() const { return bits_; }
  [[nodiscard]] std::uint64_t bits() const { return bits_; }

 private:
  explicit ReadEvent(std::uint64_t bits) : bits_(bits) {}
  std::uint64_t bits_;
};

/// One ring of the latest events. Its tail only counts up, so it is the count of reads too.
class ReadStripe {
 public:
  static constexpr std::uint32_t kEvents = 128;

  /// For the one thread that owns the stripe. Returns how many events there were before.
  std::uint64_t push(ReadEvent event) {
    const std::uint64_t before = reads();
    push_at(before, event);
    return before;
  }
  /// The same for who has just read `reads`.
  [[gnu::always_inline]] void push_at(std::uint64_t reads, ReadEvent event) {
    publish(reads, event);
    reads_.store(reads + 1, std::memory_order_release);
  }
  /// The same for any thread.
  std::uint64_t push_shared(ReadEvent event) {
    const std::uint64_t reads = reads_.fetch_add(1, std::memory_order_acq_rel);
    publish(reads, event);
    return reads;
  }

  /// Those of the events so far that were misses.
  void count_miss() {
    misses_.store(misses_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }
  void count_miss_shared() { misses_.fetch_add(1, std::memory_order_relaxed); }

  /// Calls `apply(event)` for each event since the last call, or the latest kEvents of them. One
  /// call at a time. An event that is overwritten meanwhile is lost, and its successor seen twice.
  template <class Apply>
  void drain(Apply&& apply) {
    const std::uint64_t reads = reads_.load(std::memory_order_acquire);
    const std::uint64_t pending = std::min<std::uint64_t>(reads - drained_, kEvents);
    for (std::uint64_t at = reads - pending; at != reads; ++at) {
      const std::uint64_t bits = events_[at % kEvents].load(std::memory_order_acquire);
      if (bits != 0) apply(ReadEvent::from_bits(bits));
    }
    lost_ += reads - drained_ - pending;
    drained_ = reads;
  }

  [[nodiscard]] std::uint64_t reads() const { return reads_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t misses() const { return misses_.load(std::memory_order_relaxed); }
  // Serialise with `drain`.
  [[nodiscard]] bool pending() const { return reads() != drained_; }
  [[nodiscard]] std::uint64_t lost() const { return lost_; }

  /// When the ring's own reader last drained it.
  std::atomic<std::int64_t> last_drain_ns{0};

 private:
  /// Released, for a drain may come to an event before its count, in the place of an older one: the
  /// node that it names must be seen as made.
  void publish(std::uint64_t at, ReadEvent event) {
    events_[at % kEvents].store(event.bits(), std::memory_order_release);
  }

  std::atomic<std::uint64_t> reads_{0};
  std::atomic<std::uint64_t> misses_{0};
  std::uint64_t drained_ = 0;  ///< Guarded, like `lost_`, by whoever serialises `drain`.
  std::uint64_t lost_ = 0;
  alignas(kCacheLineBytes) std::array<std::atomic<std::uint64_t>, kEvents> events_{};
};

/// Thread-safe, except `drain` and `counts`, which their caller serialises.
class ReadBuffer {
 public:
  ReadBuffer() : owned_(owned_stripes()), stripes_(new PaddedStripe[owned_ + kShared]) {}

  /// The stripe that a thread owns, if it does. `thread_index` is unique among the threads that
  /// live.
  [[nodiscard, gnu::always_inline]] ReadStripe* owned_by(std::uint32_t thread_index) const {
    return thread_index < owned_ ? &stripes_[thread_index] : nullptr;
  }
  [[nodiscard]] ReadStripe& shared_by(std::uint32_t thread_index) const {
    return stripes_[owned_ + thread_index % kShared];
  }

  template <class Apply>
  void drain(Apply&& apply) {
    for (std::uint32_t i = 0; i < owned_ + kShared; ++i) {
      if (stripes_[i].pending()) stripes_[i].drain(apply);
    }
  }

  struct Counts {
    std::uint64_t hits = 0;
    std::uint64_t misses = 0;
    std::uint64_t lost = 0;
  };
  [[nodiscard]] Counts counts() const {
    Counts sum;
    for (std::uint32_t i = 0; i < owned_ + kShared; ++i) {
      // Misses first: a miss is counted after its event.
      const std::uint64_t misses = stripes_[i].misses();
      sum.misses += misses;
      sum.hits += stripes_[i].reads() - misses;
      sum.lost += stripes_[i].lost();
    }
    return sum;
  }

  [[nodiscard]] std::size_t memory_bytes() const {
    return (owned_ + kShared) * sizeof(PaddedStripe);
  }

 private:
  static constexpr std::uint32_t kShared = 4;
  /// Two lines apart, because processors fetch lines in pairs.
  struct alignas(2 * kCacheLineBytes) PaddedStripe : ReadStripe {};

  static std::uint32_t owned_stripes() {
    const std::uint32_t processors = std::max(1U, std::thread::hardware_concurrency());
    return std::bit_ceil(std::clamp(processors * 4, 8U, 128U));
  }

  std::uint32_t owned_;
  std::unique_ptr<PaddedStripe[]> stripes_;
};

}  // namespace llm_edge_cache::engine
