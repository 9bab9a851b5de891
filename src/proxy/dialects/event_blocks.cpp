#include "proxy/dialects/event_blocks.hpp"

namespace llm_edge_cache::proxy {
namespace {

// Takes one line off the front; a line ends with LF, CR LF or CR.
std::string_view take_line(std::string_view& rest) {
  const auto end = rest.find_first_of("\r\n");
  const auto line = rest.substr(0, end);
  if (end == std::string_view::npos) {
    rest = {};
  } else {
    const bool is_crlf = rest.substr(end, 2) == "\r\n";
    rest.remove_prefix(end + (is_crlf ? 2 : 1));
  }
  return line;
}

// Takes a line end off the back; false where there is none.
bool drop_line_end(std::string_view& text) {
  const bool is_crlf = text.ends_with("\r\n");
  const bool is_line_end = is_crlf || text.ends_with('\n') || text.ends_with('\r');
  text.remove_suffix(is_crlf ? 2 : is_line_end ? 1 : 0);
  return is_line_end;
}

// The value of `name: value`, without the one space that may follow the colon.
bool read_field(std::string_view line, std::string_view name, std::string_view& value) {
  if (!line.starts_with(name)) {
    return false;
  }
  line.remove_prefix(name.size());
  if (!line.empty() && line.front() != ':') {
    return false;
  }
  value = line.empty() ? line : line.substr(1);
  if (value.starts_with(' ')) {
    value.remove_prefix(1);
  }
  return true;
}

}  // namespace

std::vector<std::string_view> event_blocks(std::string_view stream) {
  std::vector<std::string_view> blocks;
  auto rest = stream;
  while (!rest.empty()) {
    const auto start = rest;
    while (!rest.empty() && !take_line(rest).empty()) {
    }
    blocks.push_back(start.substr(0, start.size() - rest.size()));
  }
  return blocks;
}

bool ends_with_whole_event(std::string_view stream) {
  const bool ends_a_line = drop_line_end(stream);
  return ends_a_line && drop_line_end(stream);  // and that line is empty
}

std::string event_data(std::string_view block) {
  std::string data;
  bool is_first = true;
  while (!block.empty()) {
    std::string_view value;
    if (read_field(take_line(block), "data", value)) {
      if (!is_first) {
        data.push_back('\n');
      }
      data += value;
      is_first = false;
    }
  }
  return data;
}

std::string_view event_type(std::string_view block) {
  std::string_view type;
  while (!block.empty()) {
    read_field(take_line(block), "event", type);
  }
  return type;
}

void append_event(std::string& out, std::string_view type, std::string_view data) {
  if (!type.empty()) {
    out.append("event: ").append(type).append("\n");
  }
  out.append("data: ").append(data).append("\n\n");
}

}  // namespace llm_edge_cache::proxy
