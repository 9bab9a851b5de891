// Which keys have changed so lately that a replica may not know of it yet.
//
// Whoever lets go of an answer and then asks a replica may be given that answer again, and keep it
// in memory for as long as that holds answers. So a key is looked up at its primary for kGrace
// after this process has changed it, or has heard that another did. Keys share kPlaces places: what
// one says of another costs a primary a lookup, never an answer.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>

#include "base/key_digest.hpp"
#include "tiers/redis/operation.hpp"

namespace llm_edge_cache::redis {

// Thread-safe, without a lock.
class RecentChanges {
 public:
  // Far more than replication is late by while its link is up.
  static constexpr std::chrono::seconds kGrace{5};

  RecentChanges() {
    for (auto& place : places_) place.store(kNever);
  }

  void note(const KeyDigest& key, TimePoint now) { place_of(key).store(ticks(now)); }
  void note_all(TimePoint now) { all_.store(ticks(now)); }
  [[nodiscard]] bool has(const KeyDigest& key, TimePoint now) const {
    const Ticks since = ticks(now - kGrace);
    return all_.load() > since || places_[index_of(key)].load() > since;
  }

 private:
  using Ticks = TimePoint::rep;
  static constexpr std::size_t kPlaces = 8'192;

  static Ticks ticks(TimePoint time) { return time.time_since_epoch().count(); }
  static std::size_t index_of(const KeyDigest& key) { return key.hash() % kPlaces; }
  std::atomic<Ticks>& place_of(const KeyDigest& key) { return places_[index_of(key)]; }

  static constexpr Ticks kNever = TimePoint::min().time_since_epoch().count();
  std::atomic<Ticks> all_{kNever};
  std::array<std::atomic<Ticks>, kPlaces> places_;
};

}  // namespace llm_edge_cache::redis
