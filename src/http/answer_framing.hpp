// How a streamed answer is delimited (RFC 9112, 6), and whether what was written keeps to it. Does
// no I/O.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "http/head_writer.hpp"
#include "http/message.hpp"

namespace llm_edge_cache::http {

class AnswerFraming {
 public:
  struct Request {
    bool is_head = false;
    Version version = Version::kHttp11;
  };
  enum class Verdict {
    kSend,     // as it is
    kChunk,    // as a chunk
    kDrop,     // this answer has no body to send
    kTooMany,  // over Content-Length: the connection must be cut
  };

  // The framing fields of the head: its Content-Length, else chunked, else nothing (HTTP/1.0).
  [[nodiscard]] Framing begin(const ResponseHead& head, Request request);
  [[nodiscard]] Verdict offer(std::size_t bytes);
  // No byte of a Content-Length is missing.
  [[nodiscard]] bool is_complete() const { return bodyless_ || left_.value_or(0) == 0; }
  [[nodiscard]] bool is_chunked() const { return chunked_ && !bodyless_; }
  [[nodiscard]] bool ends_by_close() const { return !bodyless_ && !chunked_ && !left_; }

 private:
  std::optional<std::uint64_t> left_;  // of Content-Length
  bool chunked_ = false;
  bool bodyless_ = false;
};

}  // namespace llm_edge_cache::http
