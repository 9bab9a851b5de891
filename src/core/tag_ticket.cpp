#include "core/tag_ticket.hpp"

#include <algorithm>

namespace llm_edge_cache {

void TagTicket::when_ready(Ready ready) {
  const std::vector<TagStamp>* stamps = nullptr;
  {
    const MutexLock lock(mutex_);
    if (missing_ > 0) {
      waiting_.push_back(std::move(ready));
      return;
    }
    stamps = outcome();
  }
  ready(stamps);
}

void TagTicket::set(std::size_t index, const TagStamp& stamp) {
  std::vector<Ready> waiting;
  const std::vector<TagStamp>* stamps = nullptr;
  {
    const MutexLock lock(mutex_);
    stamps_[index] = stamp;
    if (stamp.generation == 0) is_void_ = true;
    if (--missing_ > 0) return;
    waiting.swap(waiting_);
    stamps = outcome();
  }
  for (const auto& ready : waiting) ready(stamps);
}

bool TagTicket::is_void() {
  const MutexLock lock(mutex_);
  return is_void_locked();
}

bool TagTicket::is_void_locked() const {
  return is_void_ || std::any_of(watches_.begin(), watches_.end(),
                                 [](const auto& watch) { return watch->is_over(); });
}

}  // namespace llm_edge_cache
