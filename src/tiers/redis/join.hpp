// Calls back once several parts have all ended.
#pragma once

#include <atomic>
#include <cstddef>
#include <utility>

#include "base/thread_annotations.hpp"
#include "core/tier.hpp"
#include "llm_edge_cache/result.hpp"
#include "tiers/common/budget.hpp"

namespace llm_edge_cache::redis {

// Thread-safe. The handler gets the error that came first, or ok; the ticket is given back with the
// last part.
class Join {
 public:
  Join(std::size_t parts, Ticket ticket, Tier::Handler<Status> handler)
      : left_(parts), ticket_(std::move(ticket)), handler_(std::move(handler)) {}

  void end_part(Status status) LEC_EXCLUDES(mutex_) {
    {
      const MutexLock lock(mutex_);
      if (outcome_.ok()) outcome_ = std::move(status);
      if (--left_ > 0) return;
    }
    handler_(final_outcome());
  }

 private:
  // After the last part, when nobody else comes.
  Status final_outcome() LEC_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    return std::move(outcome_);
  }

  Mutex mutex_;
  std::size_t left_ LEC_GUARDED_BY(mutex_);
  Status outcome_ LEC_GUARDED_BY(mutex_);
  const Ticket ticket_;
  const Tier::Handler<Status> handler_;
};

}  // namespace llm_edge_cache::redis
