// Operations handed from any thread to a connection's own. Bounded.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include "base/thread_annotations.hpp"
#include "tiers/redis/operation.hpp"

namespace llm_edge_cache::redis {

class OperationQueue {
 public:
  struct Item {
    OperationPtr operation;
    bool ordered = false;  // behind the writes, not beside them
  };

  enum class Push {
    kFirst,   // the queue was empty: wake the connection's thread
    kQueued,  // somebody else has woken it
    kFull,    // refused: the operation is still the caller's
    kClosed,  // as kFull
  };

  explicit OperationQueue(std::size_t max_items) : max_items_(max_items) {}

  Push push(Item& item) LEC_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    if (closed_) return Push::kClosed;
    if (items_.size() >= max_items_) return Push::kFull;
    items_.push_back(std::move(item));
    return items_.size() == 1 ? Push::kFirst : Push::kQueued;
  }

  // Swaps all that is queued into `taken`, which must be empty and lends its storage.
  void take(std::vector<Item>& taken) LEC_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    items_.swap(taken);
  }

  void close() LEC_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    closed_ = true;
  }

 private:
  const std::size_t max_items_;
  Mutex mutex_;
  std::vector<Item> items_ LEC_GUARDED_BY(mutex_);
  bool closed_ LEC_GUARDED_BY(mutex_) = false;
};

}  // namespace llm_edge_cache::redis
