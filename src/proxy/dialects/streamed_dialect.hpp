// What the dialects share whose answers come as one body or as a stream of events.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "proxy/dialects/answer_json.hpp"
#include "proxy/dialects/dialect.hpp"

namespace llm_edge_cache::proxy {

// A stream put together.
struct Assembled {
  std::optional<StoreRefusal> refusal;  // why the stream is no whole answer; the body is then void
  // False where something in the stream was not understood: it can be replayed, and its body is
  // good enough to judge it, but not to be given away.
  bool is_exact = true;
  Json body;
};

[[nodiscard]] inline Assembled not_assembled(StoreRefusal refusal) {
  return {.refusal = refusal, .is_exact = false, .body = {}};
}

// Judges and adapts by four operations on one body. A body is given as a stream only where
// assembling that stream gives the body back, member for member.
//
// An operation that throws a JSON library's exception is a bug, and must not let an odd answer end
// the process: review() says kUnforeseen then, adapt() that it cannot.
class StreamedDialect : public Dialect {
 public:
  [[nodiscard]] AnswerReview review(AnswerForm form, std::string_view answer) const final;
  [[nodiscard]] Result<std::optional<std::string>> adapt(AnswerForm recorded,
                                                         std::string_view answer,
                                                         AnswerWish wish) const final;

 protected:
  // Empty where the body is a complete answer.
  [[nodiscard]] virtual std::optional<StoreRefusal> judge(JsonView body) const = 0;
  // Of a body that judge() lets pass.
  [[nodiscard]] virtual AnswerReview describe(JsonView body) const = 0;
  // Puts a recorded stream together, as the provider would have answered without `stream`.
  [[nodiscard]] virtual Assembled assemble(std::string_view stream) const = 0;
  // The stream of a body that judge() lets pass; empty where the body holds what we cannot split.
  [[nodiscard]] virtual std::optional<std::string> split(const Json& body,
                                                         AnswerWish wish) const = 0;
  // What of the body a stream split for this wish carries: all of it, unless a dialect says less.
  [[nodiscard]] virtual Json streamed_part(const Json& body, AnswerWish wish) const;
  // As adapt(), for a recorded stream that is wanted as a stream. As it is, unless a dialect has
  // options for streams.
  [[nodiscard]] virtual Result<std::optional<std::string>> adapt_stream(std::string_view stream,
                                                                        AnswerWish wish) const;

 private:
  [[nodiscard]] AnswerReview review_stream(std::string_view stream) const;
  [[nodiscard]] AnswerReview review_text(std::string_view text) const;
  [[nodiscard]] AnswerReview review_body(JsonView body) const;
  // As adapt(): the body of a stream, the stream of a body.
  [[nodiscard]] Result<std::optional<std::string>> body_of(std::string_view stream) const;
  [[nodiscard]] Result<std::optional<std::string>> stream_of(std::string_view text,
                                                             AnswerWish wish) const;
  // As assemble(); a stream whose last event is cut is none.
  [[nodiscard]] Assembled assemble_whole(std::string_view stream) const;
};

[[nodiscard]] Error cannot_adapt(std::string message);

}  // namespace llm_edge_cache::proxy
