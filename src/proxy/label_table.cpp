#include "proxy/label_table.hpp"

namespace llm_edge_cache::proxy {

std::size_t LabelTable::find(std::string_view label) const {
  const auto count = size();
  for (std::size_t i = 0; i < count; ++i) {
    if (labels_[i] == label) return i;
  }
  return kOther;
}

std::size_t LabelTable::index_of(std::string_view label) {
  if (label.empty() || label.size() > kMaxLabelBytes) return kOther;
  // Asked first: a table that fills up while it is searched may have got this very label.
  const bool is_full = size() == kMaxLabels;
  if (const auto found = find(label); found != kOther || is_full) return found;
  const MutexLock lock(mu_);
  if (const auto found = find(label); found != kOther) return found;
  const auto count = size();
  if (count == kMaxLabels) return kOther;
  labels_[count] = label;
  size_.store(count + 1, std::memory_order_release);
  return count;
}

}  // namespace llm_edge_cache::proxy
