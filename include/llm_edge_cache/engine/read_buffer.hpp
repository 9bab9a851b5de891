// What readers tell the policy: striped lossy rings, and the counters of hits and misses.
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

/// A hit names its node; a miss its hash, short of the lowest bit.
class ReadEvent {
 public:
  static ReadEvent hit(Handle handle) { return ReadEvent(std::uint64_t{handle} << 1); }
  static ReadEvent miss(std::uint64_t hash) { return ReadEvent(hash | 1); }
  static ReadEvent from_bits(std::uint64_t bits) { return ReadEvent(bits); }

  [[nodiscard]] bool is_hit() const { return (bits_ & 1) == 0; }
  [[nodiscard]] Handle handle() const { return static_cast<Handle>(bits_ >> 1); }
  [[nodiscard]] std::uint64_t hash() const { return bits_; }
  [[nodiscard]] std::uint64_t bits() const { return bits_; }

 private:
  explicit ReadEvent(std::uint64_t bits) : bits_(bits) {}
  std::uint64_t bits_;
};

/// One ring. Writers: any thread. Reader: `drain`; one at a time.
class ReadStripe {
 public:
  static constexpr std::uint32_t kEvents = 128;

  /// Exact. `exclusive`: no other thread counts here.
  void count_hit(bool exclusive) { count(hits_, exclusive); }
  void count_miss(bool exclusive) { count(misses_, exclusive); }

  /// Returns false when the ring was full: the event is lost to the policy.
  [[gnu::always_inline]] bool push(ReadEvent event) {
    const std::uint32_t tail = tail_.load(std::memory_order_relaxed);
    if (tail - head_.load(std::memory_order_relaxed) >= kEvents) [[unlikely]] {
      return false;
    }
    // Two threads on one stripe may take the same place: one event is lost, none is torn.
    events_[tail % kEvents].store(event.bits(), std::memory_order_relaxed);
    tail_.store(tail + 1, std::memory_order_release);
    return true;
  }

  template <class Apply>
  void drain(Apply&& apply) {
    const std::uint32_t tail = tail_.load(std::memory_order_acquire);
    std::uint32_t head = head_.load(std::memory_order_relaxed);
    // Threads that share the stripe may have set the tail back.
    if (tail - head > kEvents) head = tail;
    for (; head != tail; ++head) {
      apply(ReadEvent::from_bits(events_[head % kEvents].load(std::memory_order_relaxed)));
      ++applied_;
    }
    head_.store(head, std::memory_order_relaxed);
  }

  [[nodiscard]] std::uint64_t hits() const { return hits_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t misses() const { return misses_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t applied() const { return applied_; }
  [[nodiscard]] std::uint32_t pending() const {
    return tail_.load(std::memory_order_relaxed) - head_.load(std::memory_order_relaxed);
  }

  /// When the ring's own reader last drained it; a full ring is drained once per coarse tick.
  std::atomic<std::int64_t> last_drain_ns{0};

 private:
  [[gnu::always_inline]] static void count(std::atomic<std::uint64_t>& counter, bool exclusive) {
    if (exclusive) [[likely]] {
      counter.store(counter.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    } else {
      counter.fetch_add(1, std::memory_order_relaxed);
    }
  }

  std::atomic<std::uint64_t> hits_{0};
  std::atomic<std::uint64_t> misses_{0};
  std::atomic<std::uint32_t> tail_{0};
  std::atomic<std::uint32_t> head_{0};
  std::uint64_t applied_ = 0;  ///< Guarded by whoever serialises `drain`.
  alignas(kCacheLineBytes) std::array<std::atomic<std::uint64_t>, kEvents> events_{};
};

/// Thread-safe, except `drain`, which its caller serialises.
class ReadBuffer {
 public:
  ReadBuffer() : owned_(owned_stripes()), stripes_(new PaddedStripe[owned_ + kShared]) {}

  struct Place {
    ReadStripe* stripe;
    bool exclusive;
  };
  /// `thread_index` is unique among the threads that live.
  [[nodiscard]] Place place_of(std::uint32_t thread_index) const {
    if (thread_index < owned_) [[likely]] {
      return {&stripes_[thread_index], true};
    }
    return {&stripes_[owned_ + thread_index % kShared], false};
  }

  template <class Apply>
  void drain(Apply&& apply) {
    for (std::uint32_t i = 0; i < owned_ + kShared; ++i) {
      if (stripes_[i].pending() != 0) stripes_[i].drain(apply);
    }
  }

  struct Counts {
    std::uint64_t hits = 0;
    std::uint64_t misses = 0;
    std::uint64_t pending = 0;
    std::uint64_t applied = 0;
  };
  /// Serialise with `drain`.
  [[nodiscard]] Counts counts() const {
    Counts sum;
    for (std::uint32_t i = 0; i < owned_ + kShared; ++i) {
      sum.hits += stripes_[i].hits();
      sum.misses += stripes_[i].misses();
      sum.pending += stripes_[i].pending();
      sum.applied += stripes_[i].applied();
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
