// What one write sends: text that is made for it, and pieces that are not copied, in any order.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string>

#include "http/stream_writer.hpp"

namespace llm_edge_cache::http {

// Text is appended to text(), a piece stands where the text ended when it was added. Pieces must
// live as long as the batch.
class OutputBatch {
 public:
  static constexpr std::size_t kMaxPieces = (StreamWriter::kMaxPieces - 1) / 2;

  // Writes its text into `text`, whose memory is reused.
  explicit OutputBatch(std::string& text) : text_(text) { text_.clear(); }

  [[nodiscard]] std::string& text() { return text_; }
  // At most kMaxPieces.
  void add(const OutputPiece& piece) { placed_[count_++] = {&piece, text_.size()}; }
  // Everything, in order; valid until the text changes.
  [[nodiscard]] std::span<const OutputPiece> parts();

 private:
  struct Placed {
    const OutputPiece* piece = nullptr;
    std::size_t text_end = 0;
  };

  std::string& text_;
  std::array<Placed, kMaxPieces> placed_;
  std::size_t count_ = 0;
  std::array<OutputPiece, StreamWriter::kMaxPieces> parts_;
};

}  // namespace llm_edge_cache::http
