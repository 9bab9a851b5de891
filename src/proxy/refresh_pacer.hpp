// Keeps the refreshes of an answer apart, so that a provider that fails is not asked in the
// background by every request that is given a stale one.
#pragma once

#include <array>
#include <cstddef>

#include "base/key_digest.hpp"
#include "base/thread_annotations.hpp"
#include "llm_edge_cache/clock.hpp"

namespace llm_edge_cache::proxy {

// A table of fixed size (40 KiB) in which a newer key takes the place of an older one: what it
// forgets may be refreshed sooner. Thread-safe.
class RefreshPacer {
 public:
  static constexpr std::size_t kSlots = 1'024;
  static constexpr UnixMillis kIntervalMs = 1'000;

  // True for a key once in kIntervalMs.
  [[nodiscard]] bool may_start(const KeyDigest& key, UnixMillis now_ms);

 private:
  struct Slot {
    KeyDigest key;
    UnixMillis started_ms = 0;
  };

  Mutex mu_;
  std::array<Slot, kSlots> slots_ LEC_GUARDED_BY(mu_) = {};
};

}  // namespace llm_edge_cache::proxy
