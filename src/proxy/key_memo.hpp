// Remembers the key of requests that came in the same bytes before, so that they need not be
// parsed again.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
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

// Everything that a keyed request follows from, as it is compared: a short body byte for byte,
// which costs less than any digest of it, a long one by SHA-256. A view of the body.
class RawRequest {
 public:
  static constexpr std::size_t kMaxComparedBytes = 2 * 1024;

  // surroundings: RequestKeyer's.
  RawRequest(const KeyDigest& surroundings, std::string_view body);

 private:
  friend class KeyMemo;

  bool is_short_;
  KeyDigest digest_;        // of the surroundings alone, or of the body too
  std::string_view bytes_;  // of a short body
};

// A table of fixed size in which a newer request takes the place of an older one: it forgets, and
// never grows beyond entries * (RawRequest::kMaxComparedBytes + 160) bytes. Thread-safe.
class KeyMemo {
 public:
  explicit KeyMemo(std::size_t entries);

  [[nodiscard]] std::optional<KeyedRequest> find(const RawRequest& raw) const;
  void insert(const RawRequest& raw, const KeyedRequest& request);

 private:
  static constexpr std::size_t kLocks = 64;
  struct Slot {
    KeyDigest digest;
    std::string bytes;
    KeyedRequest request;
    bool is_used = false;
    bool is_short = false;
  };

  [[nodiscard]] std::size_t slot_of(const RawRequest& raw) const;
  [[nodiscard]] Mutex& lock_of(std::size_t slot) const { return locks_[slot % kLocks]; }

  const std::uint64_t seed_;  // nobody can choose requests for one slot
  mutable std::array<Mutex, kLocks> locks_;
  std::vector<Slot> slots_;  // slot i belongs to lock i % kLocks
};

}  // namespace llm_edge_cache::proxy
