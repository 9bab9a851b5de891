// What the operations of one Redis tier share.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/key_digest.hpp"
#include "tiers/common/budget.hpp"
#include "tiers/common/store_context.hpp"
#include "tiers/redis/change_observer.hpp"
#include "tiers/redis/key_slot.hpp"
#include "tiers/redis/recent_changes.hpp"

namespace llm_edge_cache::redis {

// Thread-safe. Outlives every operation that refers to it.
struct TierContext : StoreContext {
  using StoreContext::StoreContext;

  std::atomic<std::size_t> lookups{0};  // that wait for an answer
  // Deletes what does not verify; set before the first operation, as the next one.
  std::function<void(const KeyDigest&)> discard;
  // Removes for nobody, behind the writes that wait.
  std::function<void(const KeyDigest&, Ticket)> remove_later;
  // Set before the first operation, or never.
  ChangeObserver* changes = nullptr;
  // Null: lookups go to no replica.
  const std::unique_ptr<RecentChanges> recent_changes =
      config.read_from == L2Config::ReadFrom::kReplica ? std::make_unique<RecentChanges>()
                                                       : nullptr;

  [[nodiscard]] std::string stored_key(const KeyDigest& key) const {
    return config.key_prefix + to_hex(key);
  }
  [[nodiscard]] std::uint16_t slot(const KeyDigest& key) const { return key_slot(stored_key(key)); }
  // Changed by this process or another.
  void note_change(const KeyDigest& key) const {
    if (recent_changes != nullptr) recent_changes->note(key, now());
  }
  void note_change_of_all() const {
    if (recent_changes != nullptr) recent_changes->note_all(now());
  }
  [[nodiscard]] bool may_ask_replica(const KeyDigest& key) const {
    return recent_changes != nullptr && !recent_changes->has(key, now());
  }
  void tell_changed(const KeyDigest& key) const {
    note_change(key);
    if (changes != nullptr) changes->on_changed(key);
  }
  // Counts an operation's failure, and tells of a server that answers with errors.
  void count_failure(const Error& error);
};

}  // namespace llm_edge_cache::redis
