// Heads of HTTP/1.x messages (RFC 9112).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "http/headers.hpp"

namespace llm_edge_cache::http {

enum class Version : std::uint8_t { kHttp10, kHttp11 };

struct RequestHead {
  std::string method = "GET";  // as sent: methods are case-sensitive
  std::string target = "/";    // origin form ("/v1/models?limit=2"), or "*" with OPTIONS
  Version version = Version::kHttp11;
  Headers headers;

  [[nodiscard]] std::string_view path() const;   // up to '?'
  [[nodiscard]] std::string_view query() const;  // after '?', empty without
};

// What follows from a head alone, for whoever handles requests.
class HeadNote {
 public:
  HeadNote() = default;
  virtual ~HeadNote() = default;
  HeadNote(const HeadNote&) = delete;
  HeadNote& operator=(const HeadNote&) = delete;
};

// A head that a connection received, and that may come again: requests that repeat it, up to the
// value of Content-Length, share it one after the other, with the note.
struct ReceivedHead {
  RequestHead head;
  std::shared_ptr<const HeadNote> note = {};
};

struct ResponseHead {
  std::uint16_t status = 200;
  Version version = Version::kHttp11;  // of a received head; what we send is always HTTP/1.1
  Headers headers;
};

// "Not Found" for 404; empty for a code without a registered phrase.
[[nodiscard]] std::string_view reason_phrase(std::uint16_t status);

// Fields that concern one connection only (RFC 9110, 7.6.1), plus Proxy-Connection and TE. Framing
// fields are among them (Transfer-Encoding); Content-Length is not.
[[nodiscard]] bool is_hop_by_hop(std::string_view name);

// Removes hop-by-hop fields and every field that Connection names, so that the rest can be sent on.
void strip_hop_by_hop(Headers& headers);

// 1xx, 204 and 304 never have a body (RFC 9112, 6.3).
[[nodiscard]] constexpr bool status_has_no_body(std::uint16_t status) {
  return status < 200 || status == 204 || status == 304;
}

}  // namespace llm_edge_cache::http
