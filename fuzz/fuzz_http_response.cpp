// Responses: cut anywhere they mean the same, and an accepted head is unambiguous.
#include <algorithm>

#include "fuzz/fuzz_http_messages.hpp"

namespace llm_edge_cache::http {
namespace {

Transcript transcribe_responses(std::string_view input, std::size_t piece, bool to_head_request) {
  ResponseParser parser({.max_header_bytes = 4'096, .max_header_fields = 32});
  const ResponseParser::Start start{.to_head_request = to_head_request};
  parser.start(start);
  const auto describe = [&](ResponseParser& told) {
    const ResponseHead head = told.take_head();
    check_framing(head.headers);
    if (to_head_request || status_has_no_body(head.status)) {
      fuzz_check(told.complete(), "a message without body ends with its head");
    }
    return std::to_string(head.status) + "\n" + describe_fields(head.headers);
  };
  Transcript transcript =
      transcribe(parser, input, piece, describe, [&](ResponseParser& told) { told.start(start); });
  if (!transcript.failed && parser.began()) {
    const bool ended = parser.end_of_input().event == ParseEvent::kEnd;
    fuzz_check(!ended || !parser.framed(), "only an unframed body ends with its connection");
    transcript.messages.push_back(ended ? "unframed end" : "cut");
  }
  return transcript;
}

}  // namespace
}  // namespace llm_edge_cache::http

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace llm_edge_cache;
  if (size == 0) return 0;
  const std::size_t piece = data[0] % 64 + 1;
  const bool to_head_request = data[0] >= 192;
  const std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto whole = std::max<std::size_t>(input.size(), 1);
  fuzz_check(http::transcribe_responses(input, piece, to_head_request) ==
                 http::transcribe_responses(input, whole, to_head_request),
             "pieces mean what the whole means");
  return 0;
}
