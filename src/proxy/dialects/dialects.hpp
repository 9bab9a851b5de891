// The dialects that the proxy speaks.
#pragma once

#include <array>
#include <string_view>

#include "proxy/dialects/anthropic_messages.hpp"
#include "proxy/dialects/dialect.hpp"
#include "proxy/dialects/openai_chat.hpp"
#include "proxy/dialects/openai_completions.hpp"
#include "proxy/dialects/openai_embeddings.hpp"
#include "proxy/dialects/openai_responses.hpp"

namespace llm_edge_cache::proxy {

// Thread-safe; what it returns lives as long as it does.
class Dialects {
 public:
  Dialects() = default;
  Dialects(const Dialects&) = delete;
  Dialects& operator=(const Dialects&) = delete;

  // The one that caches such requests; null for none.
  [[nodiscard]] const Dialect* find(std::string_view method, std::string_view path) const;

  // The one whose errors a client of this path understands, cached or not.
  [[nodiscard]] const Dialect& spoken_at(std::string_view path) const;

  // The one whose answers are cached in parts (embedding_flow.hpp).
  [[nodiscard]] const OpenAiEmbeddingsDialect& embeddings() const { return embeddings_; }

 private:
  const OpenAiChatDialect chat_ = {};
  const OpenAiCompletionsDialect completions_ = {};
  const OpenAiEmbeddingsDialect embeddings_ = {};
  const OpenAiResponsesDialect responses_ = {};
  const AnthropicMessagesDialect messages_ = {};
  const std::array<const Dialect*, 5> all_ = {&chat_, &completions_, &embeddings_, &responses_,
                                              &messages_};
};

}  // namespace llm_edge_cache::proxy
