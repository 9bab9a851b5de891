#include "http/message.hpp"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

namespace llm_edge_cache::http {

std::string_view RequestHead::path() const {
  return std::string_view(target).substr(0, target.find('?'));
}

std::string_view RequestHead::query() const {
  const std::size_t mark = target.find('?');
  return mark == std::string::npos ? std::string_view() : std::string_view(target).substr(mark + 1);
}

std::string_view reason_phrase(std::uint16_t status) {
  // RFC 9110, 15; RFC 6585; RFC 8297.
  static constexpr std::array<std::pair<std::uint16_t, std::string_view>, 49> kPhrases{{
      {100, "Continue"},
      {101, "Switching Protocols"},
      {103, "Early Hints"},
      {200, "OK"},
      {201, "Created"},
      {202, "Accepted"},
      {203, "Non-Authoritative Information"},
      {204, "No Content"},
      {205, "Reset Content"},
      {206, "Partial Content"},
      {300, "Multiple Choices"},
      {301, "Moved Permanently"},
      {302, "Found"},
      {303, "See Other"},
      {304, "Not Modified"},
      {307, "Temporary Redirect"},
      {308, "Permanent Redirect"},
      {400, "Bad Request"},
      {401, "Unauthorized"},
      {402, "Payment Required"},
      {403, "Forbidden"},
      {404, "Not Found"},
      {405, "Method Not Allowed"},
      {406, "Not Acceptable"},
      {407, "Proxy Authentication Required"},
      {408, "Request Timeout"},
      {409, "Conflict"},
      {410, "Gone"},
      {411, "Length Required"},
      {412, "Precondition Failed"},
      {413, "Content Too Large"},
      {414, "URI Too Long"},
      {415, "Unsupported Media Type"},
      {416, "Range Not Satisfiable"},
      {417, "Expectation Failed"},
      {421, "Misdirected Request"},
      {422, "Unprocessable Content"},
      {426, "Upgrade Required"},
      {428, "Precondition Required"},
      {429, "Too Many Requests"},
      {431, "Request Header Fields Too Large"},
      {451, "Unavailable For Legal Reasons"},
      {500, "Internal Server Error"},
      {501, "Not Implemented"},
      {502, "Bad Gateway"},
      {503, "Service Unavailable"},
      {504, "Gateway Timeout"},
      {505, "HTTP Version Not Supported"},
      {529, "Site Overloaded"},
  }};
  const auto found = std::lower_bound(
      kPhrases.begin(), kPhrases.end(), status,
      [](const auto& phrase, std::uint16_t wanted) { return phrase.first < wanted; });
  return found != kPhrases.end() && found->first == status ? found->second : std::string_view();
}

bool is_hop_by_hop(std::string_view name) {
  static constexpr std::array<std::string_view, 9> kNames{
      "connection",        "keep-alive", "proxy-authenticate", "proxy-connection", "te", "trailer",
      "transfer-encoding", "upgrade",    "proxy-authorization"};
  return std::any_of(kNames.begin(), kNames.end(), [&](std::string_view hop_by_hop) {
    return equals_ignore_case(name, hop_by_hop);
  });
}

void strip_hop_by_hop(Headers& headers) {
  std::vector<std::string> doomed;
  for (const HeaderField& field : headers) {
    if (is_hop_by_hop(field.name)) doomed.emplace_back(field.name);
    if (!equals_ignore_case(field.name, "connection")) continue;
    for_each_token(field.value, [&](std::string_view token) { doomed.emplace_back(token); });
  }
  for (const std::string& name : doomed) headers.erase(name);
}

}  // namespace llm_edge_cache::http
