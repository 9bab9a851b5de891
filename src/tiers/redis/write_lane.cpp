#include "tiers/redis/write_lane.hpp"

#include <algorithm>
#include <utility>

namespace llm_edge_cache::redis {

void WriteLane::push(OperationPtr operation) {
  if (operation->waited_for()) waiting_.push_back(operation.get());
  operations_.push_back(std::move(operation));
}

OperationPtr WriteLane::pop() {
  OperationPtr operation = std::move(operations_.front());
  operations_.pop_front();
  if (!waiting_.empty() && waiting_.front() == operation.get()) waiting_.pop_front();
  return operation;
}

std::optional<TimePoint> WriteLane::next_deadline() const {
  const auto earlier = [](const Operation* a, const Operation* b) {
    return a->deadline < b->deadline;
  };
  const auto first = std::min_element(waiting_.begin(), waiting_.end(), earlier);
  if (first == waiting_.end()) return std::nullopt;
  return (*first)->deadline;
}

void WriteLane::expire(TimePoint now) {
  std::erase_if(waiting_, [now](Operation* operation) {
    if (operation->deadline > now) return false;
    operation->stop_waiting({ErrorCode::kDeadlineExceeded, "redis: no answer in time"});
    return true;
  });
}

void WriteLane::stop_waiting(const Error& error) {
  for (Operation* operation : std::exchange(waiting_, {})) operation->stop_waiting(error);
}

void WriteLane::close(const Error& error) {
  waiting_.clear();
  for (const OperationPtr& operation : std::exchange(operations_, {})) operation->fail(error);
}

}  // namespace llm_edge_cache::redis
