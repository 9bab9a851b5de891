#include "http/head_writer.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/decimal.hpp"
#include "base/text_cursor.hpp"

namespace llm_edge_cache::http {
namespace {

using namespace std::string_view_literals;

bool is_target(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

bool is_framing(std::string_view name) {
  return equals_ignore_case(name, "content-length") ||
         equals_ignore_case(name, "transfer-encoding") || equals_ignore_case(name, "connection") ||
         equals_ignore_case(name, "keep-alive");
}

void append_field(std::string& out, std::string_view name, std::string_view value) {
  const std::size_t start = out.size();
  out.resize(start + name.size() + value.size() + 4);
  TextCursor cursor(out.data() + start);
  cursor.put(name);
  cursor.put(": ");
  cursor.put(value);
  cursor.put("\r\n");
}

void append_status_line(std::string& out, std::uint16_t status) {
  if (status == 200) {
    out.append("HTTP/1.1 200 OK\r\n"sv);
    return;
  }
  out.append("HTTP/1.1 ").append(Decimal(status)).append(" ");
  out.append(reason_phrase(status)).append("\r\n");
}

void append_framing(std::string& out, const Framing& framing) {
  if (framing.chunked) {
    out.append("Transfer-Encoding: chunked\r\n");
  } else if (framing.content_length) {
    append_field(out, "Content-Length", Decimal(*framing.content_length));
  }
}

bool is_sendable(const ExtraFields* extra) {
  return extra == nullptr || extra->lines.is_sendable();
}

std::string_view text_of(const ExtraFields* extra) {
  return extra == nullptr ? std::string_view() : extra->lines.text();
}

bool is_replaced(const ExtraFields* extra, std::string_view name) {
  return extra != nullptr && !extra->replaces.empty() && has_prefix(name, extra->replaces);
}

// What the connection decides, and the blank line.
void append_end(std::string& out, const ResponseFormat& format) {
  append_framing(out, format.framing);
  if (format.persistence == Persistence::kClose) out.append("Connection: close\r\n"sv);
  if (format.persistence == Persistence::kKeepAlive) out.append("Connection: keep-alive\r\n"sv);
  out.append("\r\n"sv);
}

// Appends the fields that leave_out does not hold back; false at one that would break the message.
template <class LeaveOut>
bool append_fields(std::string& out, const Headers& headers, LeaveOut leave_out) {
  for (const HeaderField& field : headers) {
    if (!is_field_name(field.name) || !is_field_value(field.value)) return false;
    if (!leave_out(field.name)) append_field(out, field.name, field.value);
  }
  return true;
}

}  // namespace

bool append_response_head(std::string& out, const ResponseHead& head,
                          const ResponseFormat& format) {
  if (!is_sendable(format.extra)) return false;
  const std::size_t start = out.size();
  append_status_line(out, head.status);
  bool has_date = false;
  const bool fine = append_fields(out, head.headers, [&](std::string_view name) {
    has_date = has_date || equals_ignore_case(name, "date");
    return is_framing(name) || is_replaced(format.extra, name);
  });
  if (!fine) {
    out.resize(start);
    return false;
  }
  out.append(text_of(format.extra));
  if (!has_date) append_field(out, "Date", format.date);
  append_end(out, format);
  return true;
}

bool append_response_head(std::string& out, const PreparedHead& head,
                          const ResponseFormat& format) {
  if (!head.fields.is_sendable() || !is_sendable(format.extra)) return false;
  append_status_line(out, head.status);
  const std::string_view fields = head.fields.text();
  const std::string_view extra = text_of(format.extra);
  const std::size_t start = out.size();
  out.resize(start + fields.size() + extra.size() + format.date.size() + sizeof "Date: \r\n" - 1);
  TextCursor cursor(out.data() + start);
  cursor.put(fields);
  cursor.put(extra);
  cursor.put("Date: ");
  cursor.put(format.date);
  cursor.put("\r\n");
  append_end(out, format);
  return true;
}

bool append_request_head(std::string& out, const RequestHead& head, const RequestFormat& format) {
  // A method is a token as a name is.
  if (!is_field_name(head.method) || !is_target(head.target)) return false;
  const std::size_t start = out.size();
  out.append(head.method).append(" ").append(head.target).append(" HTTP/1.1\r\n");
  if (!head.headers.contains("host")) append_field(out, "Host", format.host);
  const bool fine = append_fields(out, head.headers, [](std::string_view name) {
    return is_framing(name) || is_hop_by_hop(name) || equals_ignore_case(name, "expect");
  });
  if (!fine) {
    out.resize(start);
    return false;
  }
  append_framing(out, format.framing);
  out.append("\r\n");
  return true;
}

void append_chunk_size(std::string& out, std::size_t size) {
  std::array<char, 2 * sizeof size> digits{};
  const auto result = std::to_chars(digits.data(), digits.data() + digits.size(), size, 16);
  out.append(digits.data(), result.ptr).append("\r\n");
}

}  // namespace llm_edge_cache::http
