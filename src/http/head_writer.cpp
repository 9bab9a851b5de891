#include "http/head_writer.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

namespace llm_edge_cache::http {
namespace {

bool is_field_value(std::string_view text) {
  bool is_bad = false;  // looked for to the end, many bytes at once
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    is_bad |= (byte < 0x20 && byte != '\t') || byte == 0x7f;
  }
  return !is_bad;
}

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
  out.append(name).append(": ").append(value).append("\r\n");
}

void append_number(std::string& out, std::uint64_t number) {
  std::array<char, std::numeric_limits<std::uint64_t>::digits10 + 1> digits{};
  const auto result = std::to_chars(digits.data(), digits.data() + digits.size(), number);
  out.append(digits.data(), result.ptr);
}

void append_framing(std::string& out, const Framing& framing) {
  if (framing.chunked) {
    out.append("Transfer-Encoding: chunked\r\n");
  } else if (framing.content_length) {
    out.append("Content-Length: ");
    append_number(out, *framing.content_length);
    out.append("\r\n");
  }
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
  const std::size_t start = out.size();
  out.append("HTTP/1.1 ");
  append_number(out, head.status);
  out.append(" ").append(reason_phrase(head.status)).append("\r\n");
  bool has_date = false;
  const bool fine = append_fields(out, head.headers, [&](std::string_view name) {
    has_date = has_date || equals_ignore_case(name, "date");
    return is_framing(name);
  });
  if (!fine) {
    out.resize(start);
    return false;
  }
  if (!has_date) append_field(out, "Date", format.date);
  append_framing(out, format.framing);
  if (format.persistence == Persistence::kClose) out.append("Connection: close\r\n");
  if (format.persistence == Persistence::kKeepAlive) out.append("Connection: keep-alive\r\n");
  out.append("\r\n");
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
