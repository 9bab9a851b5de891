#include "proxy/dialects/openai_embeddings.hpp"

#include "proxy/dialects/embedding_parts.hpp"
#include "proxy/dialects/openai_words.hpp"
#include "proxy/dialects/streamed_dialect.hpp"

namespace llm_edge_cache::proxy {

bool OpenAiEmbeddingsDialect::matches(std::string_view method, std::string_view path) const {
  return method == "POST" && path == "/v1/embeddings";
}

const std::vector<std::string>& OpenAiEmbeddingsDialect::default_keyless_members() const {
  static const std::vector<std::string> members = {"user"};
  return members;
}

Result<AnswerWish> OpenAiEmbeddingsDialect::wish_of(JsonView request) const {
  const auto is_streamed = asks_for_stream(request);
  if (!is_streamed.ok()) {
    return is_streamed.error();
  }
  if (*is_streamed) {
    return Error{ErrorCode::kInvalidArgument, "embeddings have no streams"};
  }
  return AnswerWish();
}

AnswerReview OpenAiEmbeddingsDialect::review(AnswerForm form, std::string_view answer) const {
  AnswerReview review;
  const auto read = form == AnswerForm::kJson ? read_embeddings(answer) : std::nullopt;
  if (!read || read->vectors.empty()) {
    review.refusal = StoreRefusal::kMalformed;
    return review;
  }
  review.model = read->model;
  review.usage = read->usage;
  review.is_whole = true;
  return review;
}

Result<std::optional<std::string>> OpenAiEmbeddingsDialect::adapt(AnswerForm recorded,
                                                                  std::string_view /*answer*/,
                                                                  AnswerWish wish) const {
  if (recorded != AnswerForm::kJson || wish.form != AnswerForm::kJson) {
    return cannot_adapt("embeddings have no streams");
  }
  return std::optional<std::string>();
}

std::string OpenAiEmbeddingsDialect::error_body(const ProxyError& error) const {
  return openai_error_body(error);
}

}  // namespace llm_edge_cache::proxy
