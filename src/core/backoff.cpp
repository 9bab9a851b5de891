#include "core/backoff.hpp"

#include <algorithm>

namespace llm_edge_cache {

std::chrono::milliseconds Backoff::next() {
  std::uniform_int_distribution<std::int64_t> between(options_.min.count(), bound_.count());
  const std::chrono::milliseconds wait{between(random_)};
  bound_ = std::min(bound_ * 2, options_.max);
  return wait;
}

}  // namespace llm_edge_cache
