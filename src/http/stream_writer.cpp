#include "http/stream_writer.hpp"

#include <algorithm>
#include <boost/asio/error.hpp>
#include <utility>

namespace llm_edge_cache::http {

namespace asio = boost::asio;

void OutputQueue::push(SharedBytes bytes) {
  if (bytes.empty()) return;
  size_ += bytes.size();
  pieces_.push_back(std::move(bytes));
}

std::size_t OutputQueue::fill(Buffers& buffers) const {
  std::size_t filled = 0;
  for (std::size_t i = first_; i < pieces_.size() && filled < buffers.size(); ++i) {
    const std::string_view bytes = pieces_[i].view();
    buffers[filled++] = asio::const_buffer(bytes.data(), bytes.size());
  }
  return filled;
}

void OutputQueue::consume(std::size_t bytes) {
  size_ -= bytes;
  while (bytes > 0) {
    SharedBytes& piece = pieces_[first_];
    if (bytes < piece.size()) {
      piece = piece.from(bytes);
      return;
    }
    bytes -= piece.size();
    piece = SharedBytes();
    ++first_;
  }
  if (size_ == 0) {
    clear();
  } else if (first_ > kMaxBuffers && first_ * 2 > pieces_.size()) {
    pieces_.erase(pieces_.begin(), pieces_.begin() + static_cast<std::ptrdiff_t>(first_));
    first_ = 0;
  }
}

void OutputQueue::clear() {
  pieces_.clear();
  first_ = 0;
  size_ = 0;
}

WriteResult StreamWriter::write(Stream& stream, StreamOwner& owner,
                                std::span<const OutputPiece> pieces) {
  std::size_t sent = 0;
  if (queue_.empty()) {
    OutputQueue::Buffers buffers;
    std::size_t filled = 0;
    for (const OutputPiece& piece : pieces) {
      if (piece.bytes.empty()) continue;
      buffers[filled++] = asio::const_buffer(piece.bytes.data(), piece.bytes.size());
    }
    IoError error;
    sent = stream.write_some({buffers.data(), filled}, error);
    if (error && error != asio::error::would_block) return WriteResult::kClosed;
  }
  for (const OutputPiece& piece : pieces) {
    const std::size_t skip = std::min(sent, piece.bytes.size());
    sent -= skip;
    queue_from(piece, skip);
  }
  if (queue_.empty()) return WriteResult::kSent;
  wait(stream, owner);
  return WriteResult::kQueued;
}

void StreamWriter::flush(Stream& stream, StreamOwner& owner) {
  if (!queue_.empty()) wait(stream, owner);
}

void StreamWriter::queue_from(const OutputPiece& piece, std::size_t offset) {
  if (offset == piece.bytes.size()) return;
  if (piece.owner != nullptr) {
    queue_.push(piece.owner->from(offset));
  } else {
    queue_.push_copy(piece.bytes.substr(offset));
  }
}

void StreamWriter::wait(Stream& stream, StreamOwner& owner) {
  if (waiting_) return;
  waiting_ = true;
  const std::size_t filled = queue_.fill(waiting_buffers_);
  stream.async_write_some({waiting_buffers_.data(), filled}, owner.shared_from_this());
}

WriteResult StreamWriter::on_written(Stream& stream, StreamOwner& owner, std::size_t bytes) {
  waiting_ = false;
  queue_.consume(bytes);
  if (queue_.empty()) return WriteResult::kSent;
  wait(stream, owner);
  return WriteResult::kQueued;
}

void StreamWriter::clear() {
  queue_.clear();
}

}  // namespace llm_edge_cache::http
