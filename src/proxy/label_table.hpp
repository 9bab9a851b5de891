// The labels of a metric that the outside names: at most kMaxLabels of them, each with an index.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <string>
#include <string_view>

#include "base/thread_annotations.hpp"

namespace llm_edge_cache::proxy {

// Thread-safe. Labels are never removed, so that an index stays good; a lookup takes no lock and
// writes nothing.
class LabelTable {
 public:
  static constexpr std::size_t kMaxLabels = 64;
  static constexpr std::size_t kMaxLabelBytes = 128;
  // The index of all labels that have none of their own: empty, too long, or come too late.
  static constexpr std::size_t kOther = kMaxLabels;

  // At most kOther. A label that is new gets an index while there is room.
  [[nodiscard]] std::size_t index_of(std::string_view label);

  // How many labels have an index, and the one of an index below that.
  [[nodiscard]] std::size_t size() const { return size_.load(std::memory_order_acquire); }
  [[nodiscard]] const std::string& label(std::size_t index) const { return labels_[index]; }

 private:
  [[nodiscard]] std::size_t find(std::string_view label) const;

  Mutex mu_;                                    // held while a label is added
  std::array<std::string, kMaxLabels> labels_;  // those below size_ no longer change
  std::atomic<std::size_t> size_ = 0;
};

}  // namespace llm_edge_cache::proxy
