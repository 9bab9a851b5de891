// OpenAI chat completions, and everything compatible: POST /v1/chat/completions.
//
// Not part of the key by default: stream, stream_options, user, metadata, store, safety_identifier,
// prompt_cache_key.
//
// Complete, as one body: `object` is `chat.completion`, no error, at least one choice, and every
// choice finished by `stop`, `tool_calls`, `function_call` or a synonym of these. As a stream: the
// same of the message it assembles to, and [DONE] was its end. A finish reason that we do not know
// (`length`, `content_filter`, a provider's own word for a breakdown) is not complete. An answer
// that repeats the `metadata` of its request is not stored, nor one whose moderation failed.
//
// Streams with and without a usage chunk: chunk_stream.hpp.
#pragma once

#include "proxy/dialects/streamed_dialect.hpp"

namespace llm_edge_cache::proxy {

class OpenAiChatDialect final : public StreamedDialect {
 public:
  [[nodiscard]] bool matches(std::string_view method, std::string_view path) const override;
  [[nodiscard]] const std::vector<std::string>& default_keyless_members() const override;
  [[nodiscard]] Result<AnswerWish> wish_of(JsonView request) const override;
  [[nodiscard]] std::string error_body(const ProxyError& error) const override;

 protected:
  [[nodiscard]] std::optional<StoreRefusal> judge(JsonView body) const override;
  [[nodiscard]] AnswerReview describe(JsonView body) const override;
  [[nodiscard]] Assembled assemble(std::string_view stream) const override;
  [[nodiscard]] std::optional<std::string> split(const Json& body, AnswerWish wish) const override;
  [[nodiscard]] Json streamed_part(const Json& body, AnswerWish wish) const override;
  [[nodiscard]] Result<std::optional<std::string>> adapt_stream(std::string_view stream,
                                                                AnswerWish wish) const override;
};

}  // namespace llm_edge_cache::proxy
