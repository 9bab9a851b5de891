#include "http/answer_framing.hpp"

#include <string_view>

#include "base/parse_number.hpp"

namespace llm_edge_cache::http {
namespace {

std::optional<std::uint64_t> content_length_of(const Headers& headers) {
  return parse_number<std::uint64_t>(headers.get("content-length").value_or(""));
}

}  // namespace

Framing AnswerFraming::begin(const ResponseHead& head, Request request) {
  bodyless_ = request.is_head || status_has_no_body(head.status);
  left_ = content_length_of(head.headers);
  chunked_ = !left_ && request.version == Version::kHttp11;
  // RFC 9110, 8.6: no Content-Length with 1xx and 204; 304 and HEAD may have that of the GET.
  if (head.status < 200 || head.status == 204) return {};
  if (head.status == 304) return {.content_length = left_};
  return {.content_length = left_, .chunked = chunked_};
}

AnswerFraming::Verdict AnswerFraming::offer(std::size_t bytes) {
  if (bodyless_) return Verdict::kDrop;
  if (chunked_) return Verdict::kChunk;
  if (!left_) return Verdict::kSend;
  if (bytes > *left_) return Verdict::kTooMany;
  *left_ -= bytes;
  return Verdict::kSend;
}

}  // namespace llm_edge_cache::http
