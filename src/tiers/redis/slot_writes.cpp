#include "tiers/redis/slot_writes.hpp"

#include <utility>

namespace llm_edge_cache::redis {

bool SlotWrites::begin(std::uint16_t slot, const ServerAddress& node) {
  const auto [found, is_new] = slots_.try_emplace(slot);
  Slot& state = found->second;
  if (is_new) state.node = node;
  if (state.holds_some() || state.node != node) return false;
  ++state.under_way;
  return true;
}

void SlotWrites::hold(std::uint16_t slot, OperationPtr operation) {
  note(*operation);
  slots_[slot].held.push_back(std::move(operation));
}

void SlotWrites::hold_first(std::uint16_t slot, OperationPtr operation) {
  note(*operation);
  slots_[slot].came_back.push_back(std::move(operation));
}

void SlotWrites::hold_unsent(std::uint16_t slot, OperationPtr operation) {
  note(*operation);
  slots_[slot].held.push_front(std::move(operation));
}

bool SlotWrites::end(std::uint16_t slot) {
  const auto found = slots_.find(slot);
  if (found == slots_.end() || --found->second.under_way > 0) return false;
  if (found->second.holds_some()) return true;
  slots_.erase(found);
  return false;
}

std::vector<OperationPtr> SlotWrites::take(std::uint16_t slot) {
  std::vector<OperationPtr> taken;
  const auto found = slots_.find(slot);
  if (found == slots_.end() || found->second.under_way > 0) return taken;
  move_held(found->second, taken);
  slots_.erase(found);
  return taken;
}

std::vector<OperationPtr> SlotWrites::take_all() {
  std::vector<OperationPtr> taken;
  for (auto& [slot, state] : slots_) move_held(state, taken);
  return taken;
}

std::optional<TimePoint> SlotWrites::next_deadline() const {
  std::optional<TimePoint> next;
  for (const Operation* const operation : waiting_) {
    if (!next || operation->deadline < *next) next = operation->deadline;
  }
  return next;
}

void SlotWrites::expire(TimePoint now) {
  std::erase_if(waiting_, [now](Operation* operation) {
    if (operation->deadline > now) return false;
    operation->stop_waiting({ErrorCode::kDeadlineExceeded, "redis: no answer in time"});
    return true;
  });
}

void SlotWrites::stop_waiting(const Error& error) {
  for (Operation* operation : std::exchange(waiting_, {})) operation->stop_waiting(error);
}

void SlotWrites::note(Operation& operation) {
  if (operation.waited_for()) waiting_.insert(&operation);
}

void SlotWrites::move_held(Slot& slot, std::vector<OperationPtr>& out) {
  for (auto* const queue : {&slot.came_back, &slot.held}) {
    for (OperationPtr& operation : std::exchange(*queue, {})) {
      waiting_.erase(operation.get());
      out.push_back(std::move(operation));
    }
  }
}

}  // namespace llm_edge_cache::redis
