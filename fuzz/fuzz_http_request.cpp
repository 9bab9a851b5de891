// Requests: cut anywhere they mean the same, an accepted head is unambiguous, and what our writer
// makes of it is read as the same request.
#include <algorithm>

#include "fuzz/fuzz_http_messages.hpp"
#include "http/head_writer.hpp"

namespace llm_edge_cache::http {
namespace {

constexpr ParserLimits kLimits{
    .max_header_bytes = 4'096, .max_header_fields = 32, .max_target_bytes = 512};

void check_round_trip(const RequestHead& head) {
  std::string written;
  if (!append_request_head(written, head, {.host = "h"})) return;  // obs-text in a target, say
  RequestParser parser({});
  fuzz_check(parser.next(written).event == ParseEvent::kHead, "what is written can be read");
  fuzz_check(parser.complete(), "a head written without framing has no body");
  const RequestHead& read = parser.received()->head;
  fuzz_check(read.method == head.method && read.target == head.target, "line is kept");
  for (const HeaderField field : read.headers) {
    fuzz_check(field.name == "Host" || head.headers.contains(field.name), "no field is invented");
  }
}

Transcript transcribe_requests(std::string_view input, std::size_t piece) {
  RequestParser parser(kLimits);
  const auto describe = [](RequestParser& told) {
    const RequestHead& head = told.received()->head;
    check_framing(head.headers);
    fuzz_check(head.version == Version::kHttp10 || head.headers.count("host") == 1, "one Host");
    fuzz_check(head.target.starts_with('/') || head.target == "*", "target is in origin form");
    check_round_trip(head);
    return head.method + " " + head.target + "\n" + describe_fields(head.headers);
  };
  return transcribe(parser, input, piece, describe, [](RequestParser& told) { told.start(); });
}

}  // namespace
}  // namespace llm_edge_cache::http

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace llm_edge_cache;
  if (size == 0) return 0;
  const std::size_t piece = data[0] % 64 + 1;
  const std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
  // The second time, heads that come whole are recalled; in small pieces they never are.
  const std::string twice = std::string(input).append(input);
  fuzz_check(http::transcribe_requests(twice, piece) ==
                 http::transcribe_requests(twice, std::max<std::size_t>(twice.size(), 1)),
             "pieces mean what the whole means, and repeated heads what they meant");
  return 0;
}
