// The turns that one fetch takes among the processes that share a store (core/fleet.hpp).
#pragma once

#include <functional>

#include "core/tiered_cache.hpp"
#include "http/io_threads.hpp"

namespace llm_edge_cache::proxy {

// On the fetch's thread, all of it, the call-backs included.
class FleetTurns {
 public:
  // How often a fetch waits for others whose answers it then cannot give.
  static constexpr int kMaxTurns = 3;

  enum class Next {
    kAskStore,     // once more: another's answer has come, or may have since it was asked
    kAskProvider,  // nobody else will
  };

  FleetTurns(TieredCache& cache, http::IoThread& thread) : cache_(cache), thread_(thread) {}

  // The store was asked and has no answer. Whoever `then` captures outlives the turn by that.
  void take(const KeyDigest& key, std::function<void(Next)> then);
  // The store had the answer after all: whoever waits for this fetch shall look there.
  void note_found();
  // Null where no lease is held. Whoever lets go of it tells those who wait.
  [[nodiscard]] FlightLeasePtr release();

 private:
  TieredCache& cache_;
  http::IoThread& thread_;
  FlightLeasePtr lease_;
  int turns_ = 0;
};

}  // namespace llm_edge_cache::proxy
