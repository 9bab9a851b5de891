// OpenAI embeddings: POST /v1/embeddings. An input of several elements is cached element by element
// (embedding_flow.hpp, embedding_parts.hpp); what is here is what the two have in common with the
// other endpoints.
//
// Not part of the key by default: user.
//
// Complete: `object` is `list`, no error, and as many elements as were asked for, with the indices
// 0, 1, .. in any order. There are no streams.
#pragma once

#include "proxy/dialects/dialect.hpp"

namespace llm_edge_cache::proxy {

class OpenAiEmbeddingsDialect final : public Dialect {
 public:
  [[nodiscard]] bool matches(std::string_view method, std::string_view path) const override;
  [[nodiscard]] const std::vector<std::string>& default_keyless_members() const override;
  [[nodiscard]] Result<AnswerWish> wish_of(JsonView request) const override;
  // Of an answer with any number of elements.
  [[nodiscard]] AnswerReview review(AnswerForm form, std::string_view answer) const override;
  [[nodiscard]] Result<std::optional<std::string>> adapt(AnswerForm recorded,
                                                         std::string_view answer,
                                                         AnswerWish wish) const override;
  [[nodiscard]] std::string error_body(const ProxyError& error) const override;
};

}  // namespace llm_edge_cache::proxy
