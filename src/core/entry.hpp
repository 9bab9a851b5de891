// What the cache stores: one complete answer, immutable, shared by reference count.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/key_digest.hpp"
#include "llm_edge_cache/cached_response.hpp"
#include "llm_edge_cache/clock.hpp"

namespace llm_edge_cache {

// The generation that a tag had when its answer was asked for (core/tag_stamp.hpp).
struct TagStamp {
  KeyDigest marker;  // where the tag's marker is kept
  std::uint64_t generation = 0;

  friend bool operator==(const TagStamp&, const TagStamp&) = default;
};

struct Entry {
  // content is the payload: a JSON body, recorded SSE bytes, or the library user's text.
  // cached_at_ms is when the provider answered.
  CachedResponse response;
  std::uint16_t status = 200;
  std::string content_type;
  std::string finish_reason;
  UnixMillis expires_ms = 0;      // never served as fresh at or after this
  UnixMillis stale_until_ms = 0;  // never served at all at or after this; 0: expires_ms
  std::vector<std::string> tags;
  std::vector<TagStamp> tag_stamps;  // one for each tag, in order; else nobody gets the entry
  // A tier's own ttl does not cut its life. Not stored: what comes back from a store says false.
  bool outlives_ttl = false;

  [[nodiscard]] bool is_fresh(UnixMillis now_ms) const { return now_ms < expires_ms; }
  // When it can no longer be served at all.
  [[nodiscard]] UnixMillis end_ms() const { return std::max(expires_ms, stale_until_ms); }
  // Bytes that an entry holds in memory, its strings included.
  [[nodiscard]] std::size_t memory_bytes() const;

  friend bool operator==(const Entry&, const Entry&) = default;
};

using EntryPtr = std::shared_ptr<const Entry>;

// Either may be null.
[[nodiscard]] EntryPtr last_to_expire(EntryPtr a, EntryPtr b);

}  // namespace llm_edge_cache
