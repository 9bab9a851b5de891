#include "http/sse.hpp"

#include <algorithm>

#include "base/parse_number.hpp"

namespace llm_edge_cache::http {

SseParser::SseParser(std::size_t max_event_bytes) : max_event_bytes_(max_event_bytes) {}

bool SseParser::take_line(std::string_view& bytes) {
  if (after_cr_ && !bytes.empty()) {
    after_cr_ = false;
    if (bytes.front() == '\n') bytes.remove_prefix(1);
  }
  const std::size_t end = bytes.find_first_of("\r\n");
  line_.append(bytes.substr(0, std::min(end, max_event_bytes_ + 1)));
  if (end == std::string_view::npos) {
    bytes = {};
    return false;
  }
  after_cr_ = bytes[end] == '\r';
  bytes.remove_prefix(end + 1);
  return true;
}

SseParser::LineResult SseParser::process_line() {
  std::string_view line = line_;
  if (first_line_ && line.starts_with("\xEF\xBB\xBF")) line.remove_prefix(3);
  first_line_ = false;
  if (line.empty()) {
    line_.clear();
    if (has_data_) return LineResult::kEvent;
    type_.clear();
    return LineResult::kNothing;
  }
  const std::size_t colon = line.find(':');
  if (colon != 0) {
    std::string_view value = colon == std::string_view::npos ? "" : line.substr(colon + 1);
    if (value.starts_with(' ')) value.remove_prefix(1);
    process_field(line.substr(0, colon), value);
  }
  line_.clear();
  return LineResult::kNothing;
}

void SseParser::process_field(std::string_view name, std::string_view value) {
  if (name == "data") {
    data_.append(value).push_back('\n');
    has_data_ = true;
  } else if (name == "event") {
    type_ = value;
  } else if (name == "id") {
    if (value.find('\0') == std::string_view::npos) id_ = value;
  } else if (name == "retry") {
    const auto ms = parse_number<std::int64_t>(value);
    if (ms && value.front() != '-') retry_ms_ = *ms;
  }
}

void SseParser::start_event() {
  type_.clear();
  data_.clear();
  has_data_ = false;
}

bool SseParser::over_limit() const {
  return line_.size() + data_.size() + type_.size() + id_.size() > max_event_bytes_;
}

Status SseParser::too_large() const {
  return Error{ErrorCode::kTooLarge,
               "a server-sent event is over " + std::to_string(max_event_bytes_) + " bytes"};
}

bool SseParser::at_boundary() const {
  return line_.empty() && !has_data_ && type_.empty();
}

namespace {

void append_field(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ").append(value).push_back('\n');
}

}  // namespace

void append_sse_event(std::string& out, const SseEvent& event) {
  if (!event.type.empty()) append_field(out, "event", event.type);
  if (!event.id.empty()) append_field(out, "id", event.id);
  std::string_view data = event.data;
  for (;;) {
    const std::size_t end = data.find_first_of("\r\n");
    append_field(out, "data", data.substr(0, end));
    if (end == std::string_view::npos) break;
    const bool crlf = data.substr(end).starts_with("\r\n");
    data.remove_prefix(end + (crlf ? 2 : 1));
  }
  out.push_back('\n');
}

}  // namespace llm_edge_cache::http
