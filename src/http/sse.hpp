// Server-sent events: an incremental parser and a writer (WHATWG HTML, 9.2.6 "Interpreting an event
// stream").
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "llm_edge_cache/result.hpp"

namespace llm_edge_cache::http {

struct SseEvent {
  std::string_view type;  // empty: none given, which means "message"
  std::string_view data;  // lines joined by LF
  std::string_view id;    // of this event or the last that had one
};

// Feed it the stream in pieces of any size. CR, LF and CRLF end lines; a leading byte-order mark,
// comments and unknown fields are ignored; `retry` is kept in retry_ms(). Not thread-safe.
class SseParser {
 public:
  // max_event_bytes bounds what is buffered: type, data, id and the line under way.
  explicit SseParser(std::size_t max_event_bytes);

  // Calls on_event(const SseEvent&) for each event that bytes complete; its views are valid during
  // the call. kTooLarge for an event over the bound; the parser must then not be fed again.
  template <class OnEvent>
  [[nodiscard]] Status feed(std::string_view bytes, OnEvent on_event);

  // -1: the stream has set none.
  [[nodiscard]] long long retry_ms() const { return retry_ms_; }
  // True between events: a stream that ends elsewhere was cut (its last event is dropped, as the
  // specification has it).
  [[nodiscard]] bool at_boundary() const;

 private:
  enum class LineResult { kNothing, kEvent };

  // Takes bytes up to and with one line end; false: no whole line yet.
  bool take_line(std::string_view& bytes);
  LineResult process_line();
  void process_field(std::string_view name, std::string_view value);
  void start_event();
  [[nodiscard]] bool over_limit() const;
  [[nodiscard]] Status too_large() const;

  const std::size_t max_event_bytes_;
  std::string line_;
  std::string type_;
  std::string data_;
  std::string id_;
  long long retry_ms_ = -1;
  bool has_data_ = false;
  bool after_cr_ = false;
  bool first_line_ = true;
};

template <class OnEvent>
Status SseParser::feed(std::string_view bytes, OnEvent on_event) {
  while (take_line(bytes)) {
    if (over_limit()) return too_large();
    if (process_line() == LineResult::kEvent) {
      on_event(SseEvent{type_, std::string_view(data_).substr(0, data_.size() - 1), id_});
      start_event();
    }
  }
  return over_limit() ? too_large() : Status();
}

// Appends one event to out: type only if not empty, data split at LF into lines. Neither type nor
// id may contain CR or LF; a CR in data becomes a line end, as the format cannot carry it.
void append_sse_event(std::string& out, const SseEvent& event);

}  // namespace llm_edge_cache::http
