// Remembers the key of requests that came in the same bytes before, so that they need not be
// parsed again.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <vector>

#include "base/key_digest.hpp"
#include "base/thread_annotations.hpp"
#include "proxy/cache_rules.hpp"
#include "proxy/dialects/dialect.hpp"
#include "proxy/upstream_table.hpp"

namespace llm_edge_cache::proxy {

// What the proxy has to know of a request to answer it from the cache.
struct KeyedRequest {
  KeyDigest key;
  AnswerWish wish;
  CacheRules::Index rule = 0;  // the one that decides about its answer

  UpstreamTable::Index upstream = 0;  // the group that is asked

  friend bool operator==(const KeyedRequest&, const KeyedRequest&) = default;
};

// A table of fixed size in which a newer request takes the place of an older one: it forgets, and
// never grows. Thread-safe.
class KeyMemo {
 public:
  explicit KeyMemo(std::size_t entries);

  // raw: SHA-256 of everything that the keyed request follows from.
  [[nodiscard]] std::optional<KeyedRequest> find(const KeyDigest& raw) const;
  void insert(const KeyDigest& raw, const KeyedRequest& request);

 private:
  static constexpr std::size_t kLocks = 64;
  struct Slot {
    KeyDigest raw;
    KeyedRequest request;
    bool is_used = false;
  };

  [[nodiscard]] std::size_t slot_of(const KeyDigest& raw) const {
    return raw.hash() % slots_.size();
  }
  [[nodiscard]] Mutex& lock_of(std::size_t slot) const { return locks_[slot % kLocks]; }

  mutable std::array<Mutex, kLocks> locks_;
  std::vector<Slot> slots_;  // slot i belongs to lock i % kLocks
};

}  // namespace llm_edge_cache::proxy
