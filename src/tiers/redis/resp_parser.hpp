// Incremental parser of RESP2 and RESP3 replies
// (https://redis.io/docs/latest/develop/reference/protocol-spec/).
//
// Nothing is copied: a reply's texts point into the caller's buffer. Every size a peer announces is
// checked against a limit before anything is reserved for it. RESP3's streamed strings and streamed
// aggregates, which no Redis server sends, are refused.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace llm_edge_cache::redis {

enum class RespType : std::uint8_t {
  kSimpleString,  // text
  kError,         // text, without the "-"; RESP3's bulk errors too
  kInteger,       // integer
  kBulkString,    // text; RESP3's verbatim strings too, with their "txt:"
  kNull,
  kBoolean,    // integer 0 or 1
  kDouble,     // text, as it came
  kBigNumber,  // text, as it came
  kArray,      // integer: how many nodes one level deeper follow
  kSet,        // as kArray
  kMap,        // as kArray, keys and values in turn: twice the pairs
  kPush,       // as kArray; out of band, never the answer to a command
  kTooLarge,   // a bulk string over max_bulk_bytes, whose bytes were skipped; integer: its size
};

struct RespNode {
  RespType type = RespType::kNull;
  std::uint32_t depth = 0;
  std::int64_t integer = 0;
  std::string_view text;
};

// One whole reply, depth first, its root in front. Never empty.
using RespReply = std::span<const RespNode>;

struct RespLimits {
  std::size_t max_bulk_bytes = 8U << 20U;
  std::size_t max_reply_bytes = 16U << 20U;  // of a whole reply, what was skipped not counted
  std::size_t max_line_bytes = 64U << 10U;   // of a simple string, an error or a number
  std::size_t max_nodes = 1U << 16U;
  std::size_t max_depth = 8;
};

class RespParser {
 public:
  enum class Status {
    kNeedMore,  // drop consumed() bytes, then call again with the rest and more behind it
    kReply,     // reply() is complete; drop consumed() bytes when done with it
    kError,     // not RESP, or over a limit: error() says why; the stream cannot be used any more
  };

  explicit RespParser(RespLimits limits = {}) : limits_(limits) {}

  // `input` starts at the first byte not yet dropped. Between two calls that need more, the caller
  // may move the bytes elsewhere; it must not change or lose any.
  Status parse(std::string_view input);

  // Valid after kReply, until the next parse() or until the input moves.
  [[nodiscard]] RespReply reply() const { return nodes_; }
  [[nodiscard]] std::size_t consumed() const { return consumed_; }
  // After kNeedMore: at least so many bytes are missing. For sizing a buffer.
  [[nodiscard]] std::size_t bytes_missing() const { return missing_; }
  [[nodiscard]] const std::string& error() const { return error_; }

 private:
  enum class Step { kNode, kNeedMore, kError };
  struct Frame {
    std::size_t remaining;  // nodes of this aggregate still to come
    std::size_t first_node;
    bool attribute;  // RESP3 metadata in front of a value: parsed, then forgotten
  };

  Status skip(std::string_view input);
  Step parse_node(std::string_view input);
  Step parse_line_node(char marker, std::string_view line);
  Step parse_bulk(std::string_view input, char marker, std::string_view line);
  Step parse_aggregate(char marker, std::string_view line);
  bool parse_length(std::string_view line, std::int64_t* length);
  void add(RespType type, std::string_view text, std::int64_t integer = 0);
  // Closes every aggregate that the last node completed; true when the reply is whole.
  bool close_frames();
  void begin_reply();
  Step fail(std::string why);
  Step need(std::size_t bytes);

  RespLimits limits_;
  std::vector<RespNode> nodes_;
  std::vector<std::size_t> offsets_;  // of each node's text, until the input has stopped moving
  std::vector<Frame> frames_;
  std::size_t position_ = 0;   // of the first byte of the node to parse next
  std::size_t scanned_ = 0;    // up to here there is no line end after position_
  std::size_t skip_left_ = 0;  // bytes of a too large bulk string still to drop
  std::size_t consumed_ = 0;
  std::size_t missing_ = 0;
  bool reply_given_ = true;
  std::string error_;
};

}  // namespace llm_edge_cache::redis
