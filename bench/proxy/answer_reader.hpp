#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace llm_edge_cache::bench {

// Reads one HTTP/1.1 answer after the other from a socket at little cost: a head with the bytes of
// the last one is not parsed again, and a body that nobody asked for is dropped in the kernel
// (MSG_TRUNC) instead of being copied. Content-Length and chunked bodies; no trailers. An answer
// that ends with the connection is broken, and so is a head over 4,096 bytes. Not thread-safe.
class AnswerReader {
 public:
  enum class Progress {
    kMore,    // a non-blocking socket has no more for now
    kDone,    // the answer is complete
    kBroken,  // closed, or no HTTP: read no further
  };

  // Before every answer. The body goes to `body`, after what is in it, if that is not null.
  void start(std::string* body);

  Progress read(int fd);

  // Of the current answer, once its head is read.
  [[nodiscard]] int status() const { return status_; }
  // So far, without the chunks' framing.
  [[nodiscard]] std::uint64_t body_bytes() const { return body_bytes_; }

 private:
  enum class Part { kHead, kChunkSize, kData, kChunkEnd, kLastEnd };

  // What the buffer holds is consumed as far as it goes.
  Progress advance();
  Progress advance_head();
  Progress advance_chunk_size();
  Progress advance_data();
  Progress skip_line_end(Part next);
  bool parse_head(std::string_view head);
  void begin_body();
  [[nodiscard]] std::string_view buffered() const {
    return {buffer_.data() + begin_, end_ - begin_};
  }

  std::array<char, 4'096> buffer_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::string last_head_;  // status_, is_chunked_ and content_length_ are its
  int status_ = 0;
  bool is_chunked_ = false;
  std::uint64_t content_length_ = 0;
  Part part_ = Part::kHead;
  std::uint64_t rest_ = 0;  // of the body, or of the chunk
  std::uint64_t body_bytes_ = 0;
  std::string* body_ = nullptr;
};

}  // namespace llm_edge_cache::bench
