// Bytes from a server: however they are cut, the parser gives the same replies or the same error,
// and on what RESP2 allows it agrees with hiredis.
#include <hiredis/hiredis.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "fuzz/fuzz_check.hpp"
#include "tiers/redis/resp_parser.hpp"

namespace llm_edge_cache::redis {
namespace {

constexpr RespLimits kLimits{.max_bulk_bytes = 64,
                             .max_reply_bytes = 4'096,
                             .max_line_bytes = 256,
                             .max_nodes = 64,
                             .max_depth = 4};

struct Outcome {
  std::string replies;  // each node's type, depth, number and text
  std::string error;
  std::size_t unconsumed = 0;
  bool skipped = false;
};

void describe(RespReply reply, Outcome& outcome) {
  for (const RespNode& node : reply) {
    outcome.replies += std::to_string(static_cast<int>(node.type)) + ' ' +
                       std::to_string(node.depth) + ' ' + std::to_string(node.integer) + ' ';
    outcome.replies.append(node.text);
    outcome.replies += '\n';
    outcome.skipped |= node.type == RespType::kTooLarge;
  }
}

Outcome parse(std::string_view stream, std::size_t piece) {
  RespParser parser(kLimits);
  Outcome outcome;
  std::string held;
  while (true) {
    // A copy of exactly the held bytes, so that reading past them is seen.
    const std::unique_ptr<char[]> exact(new char[held.size()]);
    held.copy(exact.get(), held.size());
    const RespParser::Status status = parser.parse({exact.get(), held.size()});
    if (status == RespParser::Status::kError) {
      outcome.error = parser.error();
      return outcome;
    }
    if (status == RespParser::Status::kReply) describe(parser.reply(), outcome);
    fuzz_check(parser.consumed() <= held.size(), "more consumed than there was");
    held.erase(0, parser.consumed());
    if (status == RespParser::Status::kReply) continue;
    fuzz_check(held.size() <= kLimits.max_reply_bytes + kLimits.max_line_bytes + piece,
               "more held than the limits allow");
    if (stream.empty()) break;
    held += stream.substr(0, piece);
    stream.remove_prefix(std::min(piece, stream.size()));
  }
  outcome.unconsumed = held.size();
  return outcome;
}

struct ReaderDeleter {
  void operator()(redisReader* reader) const { ::redisReaderFree(reader); }
};

// Where hiredis finds whole replies of RESP2 in a stream that we took without error, there are as
// many, and their texts are the same.
void describe(const redisReply& reply, std::string& text) {
  if (reply.type == REDIS_REPLY_INTEGER) text += std::to_string(reply.integer);
  if (reply.type == REDIS_REPLY_STRING || reply.type == REDIS_REPLY_STATUS ||
      reply.type == REDIS_REPLY_ERROR) {
    text.append(reply.str, reply.len);
  }
  text += '\n';
  for (std::size_t i = 0; reply.type == REDIS_REPLY_ARRAY && i < reply.elements; ++i) {
    describe(*reply.element[i], text);
  }
}

std::string texts_by_hiredis(std::string_view stream) {
  const std::unique_ptr<redisReader, ReaderDeleter> reader(::redisReaderCreate());
  ::redisReaderFeed(reader.get(), stream.data(), stream.size());
  std::string text;
  void* reply = nullptr;
  while (::redisReaderGetReply(reader.get(), &reply) == REDIS_OK && reply != nullptr) {
    describe(*static_cast<redisReply*>(reply), text);
    ::freeReplyObject(reply);
    reply = nullptr;
  }
  return text;
}

std::string texts_by_us(std::string_view stream) {
  RespParser parser(kLimits);
  std::string text;
  while (parser.parse(stream) == RespParser::Status::kReply) {
    for (const RespNode& node : parser.reply()) {
      if (node.type == RespType::kInteger) text += std::to_string(node.integer);
      text.append(node.text);
      text += '\n';
    }
    stream.remove_prefix(parser.consumed());
  }
  return text;
}

}  // namespace
}  // namespace llm_edge_cache::redis

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace llm_edge_cache;
  using namespace llm_edge_cache::redis;
  if (size == 0) return 0;
  const std::string_view stream(reinterpret_cast<const char*>(data) + 1, size - 1);
  const Outcome whole = parse(stream, stream.size() + 1);
  const Outcome cut = parse(stream, 1 + data[0] % 17);
  fuzz_check(whole.replies == cut.replies, "cutting the stream changes its replies");
  fuzz_check(whole.error == cut.error, "cutting the stream changes its error");
  fuzz_check(whole.unconsumed == cut.unconsumed, "cutting the stream changes what is left");
  // hiredis 0.14 knows RESP2 only, without the plus sign that a number may carry.
  constexpr std::string_view kResp2 = "+-:$*0123456789\r\nabcdefghijklmnopqrstuvwxyz ";
  if (whole.error.empty() && !whole.skipped &&
      stream.find_first_not_of(kResp2) == std::string_view::npos &&
      stream.find(":+") == std::string_view::npos) {
    fuzz_check(texts_by_us(stream) == texts_by_hiredis(stream), "hiredis reads it differently");
  }
  return 0;
}
