#include "tiers/common/budget.hpp"

#include <utility>

namespace llm_edge_cache {

bool Budget::try_acquire(std::size_t bytes) {
  const std::size_t count = count_.fetch_add(1, std::memory_order_acq_rel) + 1;
  const std::size_t total = bytes_.fetch_add(bytes, std::memory_order_acq_rel) + bytes;
  if (count <= limits_.max_count && total <= limits_.max_bytes) return true;
  release(bytes);
  return false;
}

void Budget::release(std::size_t bytes) {
  bytes_.fetch_sub(bytes, std::memory_order_acq_rel);
  count_.fetch_sub(1, std::memory_order_acq_rel);
}

std::optional<Ticket> Ticket::acquire(Budget& budget, std::size_t bytes) {
  if (!budget.try_acquire(bytes)) return std::nullopt;
  return Ticket(budget, bytes);
}

Ticket::Ticket(Ticket&& other) noexcept
    : budget_(std::exchange(other.budget_, nullptr)), bytes_(other.bytes_) {}

Ticket::~Ticket() {
  if (budget_ != nullptr) budget_->release(bytes_);
}

}  // namespace llm_edge_cache
