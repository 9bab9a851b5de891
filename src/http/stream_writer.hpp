// Output of a connection: written first, queued and waited for only when the socket is full.
#pragma once

#include <array>
#include <cstddef>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "http/exchange.hpp"
#include "http/shared_bytes.hpp"
#include "http/stream.hpp"

namespace llm_edge_cache::http {

// Bytes in order. Nothing is moved or copied when some of them have been sent.
class OutputQueue {
 public:
  static constexpr std::size_t kMaxBuffers = 8;
  using Buffers = std::array<boost::asio::const_buffer, kMaxBuffers>;

  void push(SharedBytes bytes);
  void push_copy(std::string_view bytes) { push(SharedBytes(std::string(bytes))); }
  // The first bytes, as views; returns how many buffers were filled.
  [[nodiscard]] std::size_t fill(Buffers& buffers) const;
  // bytes <= size().
  void consume(std::size_t bytes);
  void clear();

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }

 private:
  std::vector<SharedBytes> pieces_;
  std::size_t first_ = 0;
  std::size_t size_ = 0;
};

// A part of one write. Without owner the bytes need to live only during the call, and what the
// socket does not take is copied.
struct OutputPiece {
  std::string_view bytes;
  const SharedBytes* owner = nullptr;  // bytes is then owner->view()

  OutputPiece(std::string_view text = {}) : bytes(text) {}
  OutputPiece(const std::string& text) : bytes(text) {}
  OutputPiece(const char* text) : bytes(text) {}
  OutputPiece(const SharedBytes& shared) : bytes(shared.view()), owner(&shared) {}
};

// On the thread of the stream, which its owner passes with every call that may start an operation.
class StreamWriter {
 public:
  static constexpr std::size_t kMaxPieces = OutputQueue::kMaxBuffers;

  // At most kMaxPieces, in one system call where the socket takes them all. kClosed when the stream
  // failed; the owner then closes it.
  WriteResult write(Stream& stream, StreamOwner& owner, std::span<const OutputPiece> pieces);
  WriteResult write(Stream& stream, StreamOwner& owner, std::initializer_list<OutputPiece> pieces) {
    return write(stream, owner, std::span(pieces.begin(), pieces.size()));
  }
  // Only queues, for a stream that is not there yet; flush() then begins to send.
  void queue(const OutputPiece& piece) { queue_from(piece, 0); }
  void flush(Stream& stream, StreamOwner& owner);
  // The owner's on_written, without error. kSent when the queue has become empty.
  WriteResult on_written(Stream& stream, StreamOwner& owner, std::size_t bytes);
  // After the stream was closed.
  void clear();

  [[nodiscard]] std::size_t queued_bytes() const { return queue_.size(); }

 private:
  void queue_from(const OutputPiece& piece, std::size_t offset);
  void wait(Stream& stream, StreamOwner& owner);

  OutputQueue queue_;
  OutputQueue::Buffers waiting_buffers_;  // of the write under way
  bool waiting_ = false;
};

}  // namespace llm_edge_cache::http
