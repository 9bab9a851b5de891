// What a head must obey beyond its grammar: the rules that keep two HTTP parsers from reading one
// message differently (RFC 9112, 3.2, 3.3, 5, 6; request smuggling).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "http/message.hpp"

namespace llm_edge_cache::http {

struct ParseError {
  std::uint16_t status = 400;  // what a server answers
  std::string detail;          // one sentence, without anything that the peer sent
};

// Finds line ends that are not CRLF, folded fields and NULs in the bytes of a head, fed in pieces
// of any size. Grammar is the parser's matter.
class HeadScanner {
 public:
  void start();
  // False once a forbidden byte sequence was seen.
  [[nodiscard]] bool scan(std::string_view bytes);

 private:
  char previous_ = 0;
  bool after_line_end_ = false;
  bool in_line_ = false;  // some line had content: leading empty lines are allowed
};

// Null when the head is fine. An absolute-form target is replaced by its origin form, after a check
// that its authority is the Host's.
[[nodiscard]] std::optional<ParseError> check_request_head(RequestHead& head);

// Framing of a response head: one Transfer-Encoding at most, and only chunked.
[[nodiscard]] std::optional<ParseError> check_response_head(const ResponseHead& head);

}  // namespace llm_edge_cache::http
