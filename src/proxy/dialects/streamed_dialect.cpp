#include "proxy/dialects/streamed_dialect.hpp"

#include <utility>

#include "core/parsed_json.hpp"
#include "proxy/dialects/event_blocks.hpp"

namespace llm_edge_cache::proxy {
namespace {

AnswerReview refused(StoreRefusal refusal) {
  AnswerReview review;
  review.refusal = refusal;
  return review;
}

}  // namespace

AnswerReview StreamedDialect::review(AnswerForm form, std::string_view answer) const {
  try {
    return form == AnswerForm::kStream ? review_stream(answer) : review_text(answer);
  } catch (const Json::exception&) {
    return refused(StoreRefusal::kUnforeseen);
  }
}

AnswerReview StreamedDialect::review_stream(std::string_view stream) const {
  const auto assembled = assemble_whole(stream);
  auto review = assembled.refusal ? refused(*assembled.refusal) : review_body(assembled.body);
  // A finish reason is the last that a stream says of itself.
  review.is_whole = !assembled.refusal || (assembled.refusal == StoreRefusal::kFinishReason &&
                                           ends_with_whole_event(stream));
  return review;
}

AnswerReview StreamedDialect::review_text(std::string_view text) const {
  const auto json = ParsedJson::parse(text);
  if (!json.ok()) {
    return refused(StoreRefusal::kMalformed);
  }
  const auto body = JsonView::of(*json);
  auto review = has_unique_names(*json) ? review_body(body) : refused(StoreRefusal::kMalformed);
  review.is_whole = body.is_object();
  return review;
}

AnswerReview StreamedDialect::review_body(JsonView body) const {
  const auto refusal = judge(body);
  return refusal ? refused(*refusal) : describe(body);
}

Result<std::optional<std::string>> StreamedDialect::adapt(AnswerForm recorded,
                                                          std::string_view answer,
                                                          AnswerWish wish) const {
  try {
    if (recorded != wish.form) {
      return recorded == AnswerForm::kStream ? body_of(answer) : stream_of(answer, wish);
    }
    if (recorded == AnswerForm::kStream) {
      return adapt_stream(answer, wish);
    }
    return std::optional<std::string>();
  } catch (const Json::exception&) {
    return cannot_adapt("the recorded answer is of an unforeseen shape");
  }
}

Result<std::optional<std::string>> StreamedDialect::body_of(std::string_view stream) const {
  const auto assembled = assemble_whole(stream);
  if (assembled.refusal || !assembled.is_exact || judge(assembled.body)) {
    return cannot_adapt("the recorded stream cannot be put together without doubt");
  }
  return std::optional(assembled.body.dump());
}

Result<std::optional<std::string>> StreamedDialect::stream_of(std::string_view text,
                                                              AnswerWish wish) const {
  const auto body = parse_answer_json(text);
  if (!body || judge(*body)) {
    return cannot_adapt("the recorded answer is not a whole one");
  }
  auto stream = split(*body, wish);
  if (!stream) {
    return cannot_adapt("the recorded answer cannot be said as a stream");
  }
  const auto again = assemble_whole(*stream);
  if (again.refusal || !again.is_exact || !says_the_same(again.body, streamed_part(*body, wish))) {
    return cannot_adapt("the recorded answer cannot be said as a stream without a loss");
  }
  return stream;
}

Assembled StreamedDialect::assemble_whole(std::string_view stream) const {
  auto assembled = assemble(stream);
  if (!assembled.refusal && !ends_with_whole_event(stream)) {
    return not_assembled(StoreRefusal::kTruncated);
  }
  // Readers take a byte order mark off the first line; our cut into events does not.
  assembled.is_exact = assembled.is_exact && !stream.starts_with("\xEF\xBB\xBF");
  return assembled;
}

Json StreamedDialect::streamed_part(const Json& body, AnswerWish /*wish*/) const {
  return body;
}

Result<std::optional<std::string>> StreamedDialect::adapt_stream(std::string_view /*stream*/,
                                                                 AnswerWish /*wish*/) const {
  return std::optional<std::string>();
}

Error cannot_adapt(std::string message) {
  return {ErrorCode::kInvalidArgument, std::move(message)};
}

}  // namespace llm_edge_cache::proxy
