// Keeps the writes of a slot in the order they were asked for while the slot changes nodes.
//
// Writes that are under way at one node overtake nothing, so as long as the node stays the same
// they need not wait for each other. A write for another node waits until those have ended; those
// that the old node sends back go first, and behind them those that it has not been sent.
//
// Not thread-safe. Holds what the pending writes' budget holds at most.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "tiers/redis/operation.hpp"
#include "tiers/redis/server_address.hpp"

namespace llm_edge_cache::redis {

class SlotWrites {
 public:
  // True: the write may go to `node` now, and is under way until end(). False: hold() it.
  [[nodiscard]] bool begin(std::uint16_t slot, const ServerAddress& node);
  void hold(std::uint16_t slot, OperationPtr operation);
  // It was under way and came back; its end() follows.
  void hold_first(std::uint16_t slot, OperationPtr operation);
  // It waited for its node, which is given up; its end() follows. Of several the last one first.
  void hold_unsent(std::uint16_t slot, OperationPtr operation);
  // One that was under way has ended. True: what is held may be taken.
  [[nodiscard]] bool end(std::uint16_t slot);
  // In their order, to be begun again. Empty where some are under way.
  [[nodiscard]] std::vector<OperationPtr> take(std::uint16_t slot);
  // All that is held.
  [[nodiscard]] std::vector<OperationPtr> take_all();

  // As those of a WriteLane, of what is held.
  [[nodiscard]] std::optional<TimePoint> next_deadline() const;
  void expire(TimePoint now);
  void stop_waiting(const Error& error);

  [[nodiscard]] std::size_t busy_slots() const { return slots_.size(); }

 private:
  struct Slot {
    ServerAddress node;
    std::size_t under_way = 0;
    std::deque<OperationPtr> came_back;
    std::deque<OperationPtr> held;

    [[nodiscard]] bool holds_some() const { return !came_back.empty() || !held.empty(); }
  };
  void note(Operation& operation);
  void move_held(Slot& slot, std::vector<OperationPtr>& out);

  std::unordered_map<std::uint16_t, Slot> slots_;
  std::unordered_set<Operation*> waiting_;  // those held with waited_for()
};

}  // namespace llm_edge_cache::redis
