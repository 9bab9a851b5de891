#include "tiers/redis/resp_parser.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <optional>
#include <system_error>

#include "base/parse_number.hpp"

namespace llm_edge_cache::redis {
namespace {

constexpr std::string_view kLineEnd = "\r\n";
constexpr std::string_view kMarkers = "+-:$*_#,(=!%~>|";
// What Redis itself accepts at most (proto-max-bulk-len): more is not a size but nonsense.
constexpr std::int64_t kMaxAnnouncedBytes = 512LL << 20U;

std::optional<std::int64_t> to_integer(std::string_view text) {
  if (text.size() > 1 && text[0] == '+' && text[1] != '-') text.remove_prefix(1);
  const std::string_view digits = text.substr(text.substr(0, 1) == "-" ? 1 : 0);
  if (digits.substr(0, 1) == "0" && text != "0") return std::nullopt;
  return parse_number<std::int64_t>(text);
}

bool is_double(std::string_view text) {
  if (!text.empty() && text[0] == '+') text.remove_prefix(1);
  double value = 0;
  const char* const begin = text.data();
  const char* const end = begin + text.size();
  const auto [stop, error] = std::from_chars(begin, end, value);
  return stop == end && (error == std::errc{} || error == std::errc::result_out_of_range);
}

bool is_big_number(std::string_view text) {
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) text.remove_prefix(1);
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

RespParser::Status RespParser::parse(std::string_view input) {
  if (!error_.empty()) return Status::kError;
  if (reply_given_) begin_reply();
  consumed_ = 0;
  if (skip_left_ > 0) return skip(input);
  do {
    switch (parse_node(input)) {
      case Step::kNode:
        break;
      case Step::kError:
        return Status::kError;
      case Step::kNeedMore:
        return skip_left_ > 0 ? skip(input) : Status::kNeedMore;
    }
  } while (!close_frames());
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    nodes_[i].text = input.substr(offsets_[i], nodes_[i].text.size());
  }
  consumed_ = position_;
  reply_given_ = true;
  return Status::kReply;
}

RespParser::Status RespParser::skip(std::string_view input) {
  consumed_ = std::min(input.size(), skip_left_ + position_);
  skip_left_ -= consumed_ - position_;
  position_ = 0;
  scanned_ = 0;
  missing_ = skip_left_;
  if (skip_left_ > 0) return Status::kNeedMore;
  reply_given_ = true;
  return Status::kReply;
}

void RespParser::begin_reply() {
  nodes_.clear();
  offsets_.clear();
  frames_.clear();
  position_ = 0;
  scanned_ = 0;
  reply_given_ = false;
}

RespParser::Step RespParser::parse_node(std::string_view input) {
  if (position_ > limits_.max_reply_bytes) return fail("reply too large");
  if (input.size() <= position_) return need(1);
  const char marker = input[position_];
  if (kMarkers.find(marker) == std::string_view::npos) return fail("not a reply");
  const std::size_t end = input.find(kLineEnd, std::max(position_, scanned_));
  if (end == std::string_view::npos) {
    // A '\r' at the very end may be half of a line end.
    scanned_ = input.back() == '\r' ? input.size() - 1 : input.size();
    if (scanned_ - position_ > limits_.max_line_bytes) return fail("line too long");
    return need(1);
  }
  const std::size_t line_bytes = end - position_;
  if (line_bytes > limits_.max_line_bytes) return fail("line too long");
  scanned_ = end;
  if (nodes_.size() >= limits_.max_nodes) return fail("reply of too many elements");
  const std::string_view line = input.substr(position_ + 1, line_bytes - 1);
  switch (marker) {
    case '$':
    case '=':
    case '!':
      return parse_bulk(input, marker, line);
    case '*':
    case '~':
    case '%':
    case '>':
    case '|':
      return parse_aggregate(marker, line);
    default:
      break;
  }
  const Step step = parse_line_node(marker, line);
  if (step == Step::kNode) position_ = end + kLineEnd.size();
  return step;
}

RespParser::Step RespParser::parse_line_node(char marker, std::string_view line) {
  switch (marker) {
    case '+':
      add(RespType::kSimpleString, line);
      return Step::kNode;
    case '-':
      add(RespType::kError, line);
      return Step::kNode;
    case ':':
      if (const auto value = to_integer(line)) {
        add(RespType::kInteger, {}, *value);
        return Step::kNode;
      }
      return fail("bad integer");
    case '_':
      if (!line.empty()) return fail("bad null");
      add(RespType::kNull, {});
      return Step::kNode;
    case '#':
      if (line != "t" && line != "f") return fail("bad boolean");
      add(RespType::kBoolean, {}, line == "t" ? 1 : 0);
      return Step::kNode;
    case ',':
      if (!is_double(line)) return fail("bad double");
      add(RespType::kDouble, line);
      return Step::kNode;
    case '(':
      if (!is_big_number(line)) return fail("bad big number");
      add(RespType::kBigNumber, line);
      return Step::kNode;
    default:
      return fail("not a reply");
  }
}

RespParser::Step RespParser::parse_bulk(std::string_view input, char marker,
                                        std::string_view line) {
  const std::size_t start = position_ + 1 + line.size() + kLineEnd.size();
  std::int64_t length = 0;
  if (!parse_length(line, &length) || (length < 0 && marker != '$')) return fail("bad bulk length");
  if (length < 0) {
    add(RespType::kNull, {});
    position_ = start;
    return Step::kNode;
  }
  const auto size = static_cast<std::size_t>(length);
  if (size > limits_.max_bulk_bytes) {
    if (!nodes_.empty() || marker != '$') return fail("bulk string too large");
    add(RespType::kTooLarge, {}, length);
    position_ = start;
    skip_left_ = size + kLineEnd.size();
    return Step::kNeedMore;
  }
  const std::size_t end = start + size;
  if (end > limits_.max_reply_bytes) return fail("reply too large");
  if (input.size() < end + kLineEnd.size()) {
    if (input.size() > end && input[end] != '\r') return fail("bulk string without its end");
    return need(end + kLineEnd.size() - input.size());
  }
  if (input.substr(end, kLineEnd.size()) != kLineEnd) return fail("bulk string without its end");
  const std::string_view text = input.substr(start, size);
  add(marker == '!' ? RespType::kError : RespType::kBulkString, text);
  offsets_.back() = start;
  position_ = end + kLineEnd.size();
  return Step::kNode;
}

RespParser::Step RespParser::parse_aggregate(char marker, std::string_view line) {
  std::int64_t length = 0;
  if (!parse_length(line, &length) || (length < 0 && marker != '*'))
    return fail("bad array length");
  const std::size_t after = position_ + 1 + line.size() + kLineEnd.size();
  if (length < 0) {
    add(RespType::kNull, {});
    position_ = after;
    return Step::kNode;
  }
  if (static_cast<std::size_t>(length) > limits_.max_nodes) {
    return fail("reply of too many elements");
  }
  if (frames_.size() >= limits_.max_depth) return fail("reply nested too deep");
  const bool pairs = marker == '%' || marker == '|';
  const std::size_t children = static_cast<std::size_t>(length) * (pairs ? 2 : 1);
  RespType type = RespType::kArray;
  if (pairs) type = RespType::kMap;
  if (marker == '~') type = RespType::kSet;
  if (marker == '>') type = RespType::kPush;
  add(type, {}, static_cast<std::int64_t>(children));
  frames_.push_back({children, nodes_.size() - 1, marker == '|'});
  position_ = after;
  return Step::kNode;
}

bool RespParser::parse_length(std::string_view line, std::int64_t* length) {
  const auto value = to_integer(line);
  if (!value || *value < -1 || *value > kMaxAnnouncedBytes || line[0] == '+') return false;
  *length = *value;
  return true;
}

void RespParser::add(RespType type, std::string_view text, std::int64_t integer) {
  offsets_.push_back(position_ + 1);
  nodes_.push_back({type, static_cast<std::uint32_t>(frames_.size()), integer, text});
}

bool RespParser::close_frames() {
  // An aggregate that was just opened counts in its parent only when it closes.
  const bool opened = !frames_.empty() && frames_.back().first_node == nodes_.size() - 1;
  if (!opened && !frames_.empty()) --frames_.back().remaining;
  while (!frames_.empty() && frames_.back().remaining == 0) {
    const Frame done = frames_.back();
    frames_.pop_back();
    if (done.attribute) {
      nodes_.resize(done.first_node);
      offsets_.resize(done.first_node);
      return false;  // the value that it describes is still to come
    }
    if (!frames_.empty()) --frames_.back().remaining;
  }
  return frames_.empty();
}

RespParser::Step RespParser::fail(std::string why) {
  error_ = std::move(why);
  return Step::kError;
}

RespParser::Step RespParser::need(std::size_t bytes) {
  missing_ = bytes;
  return Step::kNeedMore;
}

}  // namespace llm_edge_cache::redis
