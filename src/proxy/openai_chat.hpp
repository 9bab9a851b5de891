// OpenAI chat completions, and everything compatible: POST /v1/chat/completions.
//
// Not part of the key by default: stream, stream_options, user, metadata, store, safety_identifier,
// prompt_cache_key.
//
// Complete, as one body: `object` is `chat.completion`, no error, at least one choice, and every
// choice finished by `stop`, `tool_calls`, `function_call` or a synonym of these. As a stream: the
// same of the message it assembles to, and [DONE] was its end. A finish reason that we do not know
// (`length`, `content_filter`, a provider's own word for a breakdown) is not complete.
//
// `stream_options.include_usage` decides whether a usage chunk ends a stream:
//   recorded with, asked for       byte for byte
//   recorded with, not asked for   without that chunk: clients that did not ask index its empty
//                                  list of choices
//   recorded without, asked for    cannot be known: a miss, whose answer replaces the recording
//   recorded without, JSON asked   an answer without `usage`
#pragma once

#include "proxy/dialect.hpp"

namespace llm_edge_cache::proxy {

class OpenAiChatDialect final : public Dialect {
 public:
  [[nodiscard]] bool matches(std::string_view method, std::string_view path) const override;
  [[nodiscard]] std::vector<std::string> default_keyless_members() const override;
  [[nodiscard]] Result<AnswerWish> read_wish(std::string_view request_body) const override;
  [[nodiscard]] AnswerReview review(AnswerForm form, std::string_view answer) const override;
  [[nodiscard]] Result<std::optional<std::string>> adapt(AnswerForm recorded,
                                                         std::string_view answer,
                                                         AnswerWish wish) const override;
  // {"error": {"message", "type", "param", "code"}}
  [[nodiscard]] std::string error_body(const ProxyError& error) const override;
};

}  // namespace llm_edge_cache::proxy
