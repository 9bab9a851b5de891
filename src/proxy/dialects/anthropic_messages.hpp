// Anthropic messages: POST /v1/messages, with and without `?beta=true` (the query is part of the
// key). /v1/messages/count_tokens and /v1/messages/batches are passed through.
//
// Not part of the key by default: stream, metadata.
//
// Left to the provider, because equal requests need not have equal answers or because an answer
// hands out what only one caller may go on with: `thread`, `container`, `mcp_servers`,
// `diagnostics`, `fallback_credit_token`, tools that run code in a container of the provider's, and
// tools whose type we do not know, of the request or of a message.
//
// Complete, as one body: `type` is `message`, and stop_reason is `end_turn`, `tool_use` or
// `stop_sequence`. Not `max_tokens`, `pause_turn`, `refusal`, `model_context_window_exceeded`, a
// reason that we do not know, or none; nor where a tool of the provider's or a compaction failed,
// or the answer hands out a container. As a stream: the same of the message it assembles to, every
// block was closed, and message_stop was its end; an `error` event ends it at any point.
//
// Usage: prompt tokens are input_tokens, cache_creation_input_tokens and cache_read_input_tokens
// together.
#pragma once

#include "proxy/dialects/streamed_dialect.hpp"

namespace llm_edge_cache::proxy {

class AnthropicMessagesDialect final : public StreamedDialect {
 public:
  [[nodiscard]] bool matches(std::string_view method, std::string_view path) const override;
  [[nodiscard]] const std::vector<std::string>& default_keyless_members() const override;
  [[nodiscard]] Result<AnswerWish> wish_of(JsonView request) const override;
  // {"type": "error", "error": {"type", "message", "code"}}
  [[nodiscard]] std::string error_body(const ProxyError& error) const override;

 protected:
  [[nodiscard]] std::optional<StoreRefusal> judge(JsonView body) const override;
  [[nodiscard]] AnswerReview describe(JsonView body) const override;
  [[nodiscard]] Assembled assemble(std::string_view stream) const override;
  [[nodiscard]] std::optional<std::string> split(const Json& body, AnswerWish wish) const override;
};

}  // namespace llm_edge_cache::proxy
