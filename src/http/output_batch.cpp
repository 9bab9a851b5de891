#include "http/output_batch.hpp"

#include <string_view>

namespace llm_edge_cache::http {

std::span<const OutputPiece> OutputBatch::parts() {
  const std::string_view text = text_;
  std::size_t filled = 0;
  std::size_t taken = 0;
  for (std::size_t i = 0; i < count_; ++i) {
    const Placed& placed = placed_[i];
    if (placed.text_end > taken) parts_[filled++] = text.substr(taken, placed.text_end - taken);
    parts_[filled++] = *placed.piece;
    taken = placed.text_end;
  }
  if (text.size() > taken) parts_[filled++] = text.substr(taken);
  return {parts_.data(), filled};
}

}  // namespace llm_edge_cache::http
