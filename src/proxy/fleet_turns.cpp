#include "proxy/fleet_turns.hpp"

#include <utility>

namespace llm_edge_cache::proxy {

void FleetTurns::take(const KeyDigest& key, std::function<void(Next)> then) {
  if (lease_ != nullptr || turns_ == kMaxTurns) {
    then(Next::kAskProvider);
    return;
  }
  ++turns_;
  cache_.take_turn(key, [this, then = std::move(then)](FlightTurn turn) {
    auto step = [this, then, turn = std::move(turn)] {
      lease_ = turn.lease;
      then(turn.kind == FlightTurn::Kind::kAlone ? Next::kAskProvider : Next::kAskStore);
    };
    if (thread_.is_current()) {
      step();
    } else {
      thread_.post(std::move(step));
    }
  });
}

void FleetTurns::note_found() {
  if (lease_ != nullptr) {
    lease_->note_landed();
    lease_.reset();
  }
}

FlightLeasePtr FleetTurns::release() {
  return std::exchange(lease_, nullptr);
}

}  // namespace llm_edge_cache::proxy
