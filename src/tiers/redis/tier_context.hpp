// What the operations of one Redis tier share.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include "base/key_digest.hpp"
#include "tiers/common/store_context.hpp"
#include "tiers/redis/change_observer.hpp"
#include "tiers/redis/key_slot.hpp"

namespace llm_edge_cache::redis {

// Thread-safe. Outlives every operation that refers to it.
struct TierContext : StoreContext {
  using StoreContext::StoreContext;

  std::atomic<std::size_t> lookups{0};  // that wait for an answer
  // Deletes what does not verify; set before the first operation.
  std::function<void(const KeyDigest&)> discard;
  // Set before the first operation, or never.
  ChangeObserver* changes = nullptr;

  [[nodiscard]] std::string stored_key(const KeyDigest& key) const {
    return config.key_prefix + to_hex(key);
  }
  [[nodiscard]] std::uint16_t slot(const KeyDigest& key) const { return key_slot(stored_key(key)); }
  void tell_changed(const KeyDigest& key) const {
    if (changes != nullptr) changes->on_changed(key);
  }
  // Counts an operation's failure, and tells of a server that answers with errors.
  void count_failure(const Error& error);
};

}  // namespace llm_edge_cache::redis
