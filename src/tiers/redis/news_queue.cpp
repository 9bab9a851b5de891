#include "tiers/redis/news_queue.hpp"

#include <utility>

namespace llm_edge_cache::redis {

bool NewsQueue::add(FleetMessage::Kind kind, const KeyDigest& key) {
  const MutexLock lock(mutex_);
  const bool was_empty = !all_ && items_.empty();
  if (items_.size() >= kMaxKeys) {
    ++overflows_;
    if (kind == FleetMessage::Kind::kChanged) become_all();
    return was_empty;
  }
  items_.push_back({kind, key});
  return was_empty;
}

bool NewsQueue::add_all() {
  const MutexLock lock(mutex_);
  const bool was_empty = !all_ && items_.empty();
  become_all();
  return was_empty;
}

// What was to be told of keys, kAll tells too; who waits for one of them asks again.
void NewsQueue::become_all() {
  all_ = true;
  items_.clear();
}

std::optional<NewsQueue::Batch> NewsQueue::take() {
  const MutexLock lock(mutex_);
  if (std::exchange(all_, false)) return Batch{};
  if (items_.empty()) return std::nullopt;
  Batch batch{.kind = items_.front().kind};
  while (!items_.empty() && items_.front().kind == batch.kind &&
         batch.keys.size() < FleetMessage::kMaxKeys) {
    batch.keys.push_back(items_.front().key);
    items_.pop_front();
  }
  return batch;
}

void NewsQueue::give_back(Batch batch) {
  const MutexLock lock(mutex_);
  if (batch.kind == FleetMessage::Kind::kAll) {
    all_ = true;
    return;
  }
  if (all_ && batch.kind == FleetMessage::Kind::kChanged) return;
  for (auto key = batch.keys.rbegin(); key != batch.keys.rend(); ++key) {
    items_.push_front({batch.kind, *key});
  }
}

std::size_t NewsQueue::size() const {
  const MutexLock lock(mutex_);
  return items_.size() + (all_ ? 1 : 0);
}

std::uint64_t NewsQueue::overflows() const {
  const MutexLock lock(mutex_);
  return overflows_;
}

}  // namespace llm_edge_cache::redis
