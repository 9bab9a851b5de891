// One cached entry, in two parts: what a reader touches, and what only writers and maintenance do.
//
// Bytes per entry beyond key and value, worst case just after a table has grown:
//   read part 16 (expiry, last access) + write part 40 (hash, policy links, wheel links, weight,
//   time of birth, state) + index 64 / (12 * 4/5 / 1.5) = 10 + frequency sketch 8 = 74 of 80.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <utility>

#include "llm_edge_cache/engine/clock.hpp"
#include "llm_edge_cache/engine/options.hpp"
#include "llm_edge_cache/engine/platform.hpp"
#include "llm_edge_cache/engine/policy/node_links.hpp"

namespace llm_edge_cache::engine {

/// Key, value and expiry never change between `construct` and `destroy`: a new value is a new node.
/// So readers that hold a hazard on the node need no lock.
template <class Key, class Value>
class ReadPart {
 public:
  void construct(Key&& key, Value&& value, std::int64_t now_ns, std::int64_t expires_ns) {
    mark_occupied(this, sizeof *this);
    std::construct_at(reinterpret_cast<Key*>(key_), std::move(key));
    std::construct_at(reinterpret_cast<Value*>(value_), std::move(value));
    std::construct_at(&accessed_ns_, now_ns);
    expires_ns_ = expires_ns;
  }

  void destroy() {
    std::destroy_at(&mutable_key());
    std::destroy_at(&mutable_value());
    mark_vacant(this, sizeof *this);
  }

  [[nodiscard]] const Key& key() const { return *std::launder(reinterpret_cast<const Key*>(key_)); }
  [[nodiscard]] const Value& value() const {
    return *std::launder(reinterpret_cast<const Value*>(value_));
  }
  [[nodiscard]] std::int64_t expires_ns() const { return expires_ns_; }

  /// Whether the deadline is later than `now_ns`; then notes that the entry is read now. Stores
  /// nothing while the clock stands still, so that a hot entry's line stays shared.
  [[nodiscard, gnu::always_inline]] bool read_if_live(std::int64_t now_ns, std::int64_t tti_ns) {
    if (expires_ns_ <= now_ns) return false;
    if (tti_ns == kNeverNs) return true;
    const std::int64_t accessed = accessed_ns_.load(std::memory_order_relaxed);
    if (now_ns - accessed >= tti_ns) return false;
    if (accessed < now_ns) accessed_ns_.store(now_ns, std::memory_order_relaxed);
    return true;
  }

  /// When the entry ends if it is not read again. `tti_ns` is kNeverNs for none.
  [[nodiscard]] std::int64_t deadline_ns(std::int64_t tti_ns) const {
    if (tti_ns == kNeverNs) return expires_ns_;
    const std::int64_t accessed = accessed_ns_.load(std::memory_order_relaxed);
    const std::int64_t idle_end = accessed > kNeverNs - tti_ns ? kNeverNs : accessed + tti_ns;
    return idle_end < expires_ns_ ? idle_end : expires_ns_;
  }

 private:
  Key& mutable_key() { return *std::launder(reinterpret_cast<Key*>(key_)); }
  Value& mutable_value() { return *std::launder(reinterpret_cast<Value*>(value_)); }

  alignas(Key) std::byte key_[sizeof(Key)];
  alignas(Value) std::byte value_[sizeof(Value)];
  std::atomic<std::int64_t> accessed_ns_;
  std::int64_t expires_ns_;
};

/// Links of the timer wheel.
struct WheelLinks {
  Handle prev = kNullHandle;
  Handle next = kNullHandle;
};

/// `hash`, `weight`, `born` are set before the node can be found; `cause` under the lock of the
/// node's shard by whoever makes it impossible to find; the rest belongs to the maintenance lock.
struct WritePart {
  std::uint64_t hash = 0;
  PolicyLinks policy;
  WheelLinks wheel;
  std::uint32_t weight = 0;
  std::uint32_t born = 0;  ///< In units of kBornUnitNs since the cache was made.
  RemovalCause cause = RemovalCause::kSize;
  /// Known to policy and wheel. Atomic because a late read event may name a node that was recycled.
  std::atomic<bool> linked{false};

  static constexpr std::int64_t kBornUnitNs = std::int64_t{1} << 24;
};
static_assert(sizeof(WritePart) == 40);

}  // namespace llm_edge_cache::engine
