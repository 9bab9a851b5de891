// OpenAI responses: POST /v1/responses.
//
// Not part of the key by default: stream, stream_options. An answer repeats the rest of its request
// (metadata, user, store, prompt_cache_key, ..): with these left out of the key, one caller would
// read another's.
//
// Left to the provider, because equal requests need not have equal answers or because the answer
// hands out state:
//   previous_response_id, conversation, prompt   refer to what the provider keeps
//   an input item that is known by its id only   likewise
//   background                                   is a job, not an answer
//   prompt_cache_options that fill or compare    are not about an answer either
//   tools that search files, run code or call    read state that changes, or make some
//   servers, and tools whose type we do not
//   know, of the request or of an input item
//
// `store`, the default, is safe: a stored response never changes, and its id, which the answer
// carries, is as good for the next caller of the same scope. It is part of the key, so that an
// answer that was not stored never gets a caller who wants to go on from it. A response that was
// deleted at the provider is answered from the cache until it expires.
//
// Complete, as one body: `object` is `response` and status is `completed`, without an error. As a
// stream: the same of the response in response.completed, which was its end. Not complete:
// response.incomplete, response.failed, `error`, an output item or a moderation that failed.
//
// An answer with output items of tools that are left to the provider is not stored either.
#pragma once

#include "proxy/dialects/streamed_dialect.hpp"

namespace llm_edge_cache::proxy {

class OpenAiResponsesDialect final : public StreamedDialect {
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
  [[nodiscard]] Result<std::optional<std::string>> adapt_stream(std::string_view stream,
                                                                AnswerWish wish) const override;
};

}  // namespace llm_edge_cache::proxy
