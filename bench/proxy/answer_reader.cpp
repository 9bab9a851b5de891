#include "bench/proxy/answer_reader.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>

namespace llm_edge_cache::bench {
namespace {

constexpr std::string_view kLineEnd = "\r\n";

bool parse_number(std::string_view text, int base, std::uint64_t& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  return error == std::errc() && end == text.data() + text.size();
}

bool equals_in_any_case(std::string_view text, std::string_view lower) {
  const auto to_lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 32) : c; };
  return std::ranges::equal(text, lower, {}, to_lower);
}

// The value where `line` is that field, else nothing.
std::string_view field_value(std::string_view line, std::string_view lower_name) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return {};
  if (!equals_in_any_case(line.substr(0, colon), lower_name)) return {};
  line.remove_prefix(colon + 1);
  while (line.starts_with(' ')) line.remove_prefix(1);
  while (line.ends_with(' ')) line.remove_suffix(1);
  return line;
}

}  // namespace

void AnswerReader::start(std::string* body) {
  part_ = Part::kHead;
  body_bytes_ = 0;
  body_ = body;
}

AnswerReader::Progress AnswerReader::read(int fd) {
  for (;;) {
    if (begin_ < end_) {
      const auto progress = advance();
      if (progress != Progress::kMore) return progress;
    }
    const bool drops = part_ == Part::kData && body_ == nullptr && begin_ == end_;
    if (begin_ == end_) begin_ = end_ = 0;
    if (!drops && end_ == buffer_.size()) {
      if (begin_ == 0) return Progress::kBroken;
      std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
      end_ -= begin_;
      begin_ = 0;
    }
    const auto got = drops ? ::recv(fd, nullptr, rest_, MSG_TRUNC)
                           : ::recv(fd, buffer_.data() + end_, buffer_.size() - end_, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return Progress::kMore;
    if (got <= 0) return Progress::kBroken;
    if (!drops) {
      end_ += static_cast<std::size_t>(got);
      continue;
    }
    rest_ -= static_cast<std::uint64_t>(got);
    body_bytes_ += static_cast<std::uint64_t>(got);
    if (rest_ > 0) continue;
    if (!is_chunked_) return Progress::kDone;
    part_ = Part::kChunkEnd;
  }
}

AnswerReader::Progress AnswerReader::advance() {
  while (begin_ < end_) {
    Progress progress = Progress::kMore;
    const Part before = part_;
    switch (part_) {
      case Part::kHead:
        progress = advance_head();
        break;
      case Part::kChunkSize:
        progress = advance_chunk_size();
        break;
      case Part::kData:
        progress = advance_data();
        break;
      case Part::kChunkEnd:
        progress = skip_line_end(Part::kChunkSize);
        break;
      case Part::kLastEnd:
        progress = skip_line_end(Part::kHead);
        break;
    }
    if (progress != Progress::kMore) return progress;
    if (part_ == before) return Progress::kMore;  // it needs more bytes
  }
  return Progress::kMore;
}

AnswerReader::Progress AnswerReader::advance_head() {
  const auto bytes = buffered();
  std::size_t head_bytes = last_head_.size();
  if (head_bytes == 0 || !bytes.starts_with(last_head_)) {
    const auto end = bytes.find("\r\n\r\n");
    if (end == std::string_view::npos) return Progress::kMore;
    head_bytes = end + 4;
    if (!parse_head(bytes.substr(0, head_bytes))) return Progress::kBroken;
  }
  begin_ += head_bytes;
  begin_body();
  return part_ == Part::kData && rest_ == 0 ? Progress::kDone : Progress::kMore;
}

bool AnswerReader::parse_head(std::string_view head) {
  last_head_.clear();
  std::uint64_t status = 0;
  if (!head.starts_with("HTTP/1.1 ") || !parse_number(head.substr(9, 3), 10, status)) return false;
  status_ = static_cast<int>(status);
  is_chunked_ = false;
  bool has_length = false;
  std::size_t at = head.find(kLineEnd) + kLineEnd.size();
  while (at < head.size()) {
    const std::size_t end = head.find(kLineEnd, at);
    const auto line = head.substr(at, end - at);
    at = end + kLineEnd.size();
    if (const auto value = field_value(line, "content-length"); !value.empty()) {
      if (!parse_number(value, 10, content_length_)) return false;
      has_length = true;
    }
    if (equals_in_any_case(field_value(line, "transfer-encoding"), "chunked")) is_chunked_ = true;
  }
  if (has_length == is_chunked_) return false;
  last_head_ = head;
  return true;
}

void AnswerReader::begin_body() {
  part_ = is_chunked_ ? Part::kChunkSize : Part::kData;
  rest_ = is_chunked_ ? 0 : content_length_;
}

AnswerReader::Progress AnswerReader::advance_chunk_size() {
  const auto end = buffered().find(kLineEnd);
  if (end == std::string_view::npos) return Progress::kMore;
  auto size = buffered().substr(0, end);
  size = size.substr(0, size.find(';'));
  if (!parse_number(size, 16, rest_)) return Progress::kBroken;
  begin_ += end + kLineEnd.size();
  part_ = rest_ == 0 ? Part::kLastEnd : Part::kData;
  return Progress::kMore;
}

AnswerReader::Progress AnswerReader::advance_data() {
  const auto bytes = buffered().substr(0, std::min<std::uint64_t>(rest_, end_ - begin_));
  if (body_ != nullptr) body_->append(bytes);
  begin_ += bytes.size();
  rest_ -= bytes.size();
  body_bytes_ += bytes.size();
  if (rest_ > 0) return Progress::kMore;
  if (!is_chunked_) return begin_ == end_ ? Progress::kDone : Progress::kBroken;
  part_ = Part::kChunkEnd;
  return Progress::kMore;
}

AnswerReader::Progress AnswerReader::skip_line_end(Part next) {
  if (buffered().size() < kLineEnd.size()) return Progress::kMore;
  if (!buffered().starts_with(kLineEnd)) return Progress::kBroken;
  begin_ += kLineEnd.size();
  if (next != Part::kHead) {
    part_ = next;
    return Progress::kMore;
  }
  return begin_ == end_ ? Progress::kDone : Progress::kBroken;
}

}  // namespace llm_edge_cache::bench
