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
  if (form == AnswerForm::kStream) {
    const auto assembled = assemble_whole(answer);
    return assembled.refusal ? refused(*assembled.refusal) : review_body(assembled.body);
  }
  const auto body = ParsedJson::parse(answer);
  const bool is_sound = body.ok() && has_unique_names(*body);
  return is_sound ? review_body(JsonView::of(*body)) : refused(StoreRefusal::kMalformed);
}

AnswerReview StreamedDialect::review_body(JsonView body) const {
  const auto refusal = judge(body);
  return refusal ? refused(*refusal) : describe(body);
}

Result<std::optional<std::string>> StreamedDialect::adapt(AnswerForm recorded,
                                                          std::string_view answer,
                                                          AnswerWish wish) const {
  if (recorded == AnswerForm::kStream) {
    if (wish.form == AnswerForm::kStream) {
      return adapt_stream(answer, wish);
    }
    const auto assembled = assemble_whole(answer);
    if (assembled.refusal || !assembled.is_exact || judge(assembled.body)) {
      return cannot_adapt("the recorded stream cannot be put together without doubt");
    }
    return std::optional(assembled.body.dump());
  }
  if (wish.form == AnswerForm::kJson) {
    return std::optional<std::string>();
  }
  const auto body = parse_answer_json(answer);
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
