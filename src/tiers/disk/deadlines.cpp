#include "tiers/disk/deadlines.hpp"

namespace llm_edge_cache::disk {

Deadlines::~Deadlines() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void Deadlines::watch(WaiterPtr waiter, TimePoint deadline) {
  Waiter* const key = waiter.get();
  const MutexLock lock(mutex_);
  waiting_.emplace(std::pair(deadline, key), std::move(waiter));
  if (deadline < wakes_at_) changed_.notify_one();
}

void Deadlines::forget(Waiter& waiter, TimePoint deadline) {
  WaiterPtr last;  // lets go of it outside of the lock
  const MutexLock lock(mutex_);
  const auto place = waiting_.find(std::pair(deadline, &waiter));
  if (place == waiting_.end()) return;
  last = std::move(place->second);
  waiting_.erase(place);
}

void Deadlines::run() {
  while (const WaiterPtr waiter = next()) waiter->on_deadline();
}

Deadlines::WaiterPtr Deadlines::next() {
  const MutexLock lock(mutex_);
  while (!stopping_) {
    if (waiting_.empty()) {
      wakes_at_ = TimePoint::max();
      changed_.wait(mutex_);
      continue;
    }
    const auto first = waiting_.begin();
    const TimePoint deadline = first->first.first;
    if (deadline <= std::chrono::steady_clock::now()) {
      auto waiter = std::move(first->second);
      waiting_.erase(first);
      return waiter;
    }
    wakes_at_ = deadline;
    changed_.wait_until(mutex_, deadline);
  }
  return nullptr;
}

}  // namespace llm_edge_cache::disk
