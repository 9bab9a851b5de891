// What OpenAI's endpoints have in common.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "llm_edge_cache/cached_response.hpp"
#include "proxy/dialects/dialect.hpp"
#include "proxy/dialects/json_view.hpp"

namespace llm_edge_cache::proxy {

// {"error": {"message", "type", "param", "code"}}
[[nodiscard]] std::string openai_error_body(const ProxyError& error);

// `stream` of a request, false where it is null or absent. kInvalidArgument where it is anything
// else, or the request is no object.
[[nodiscard]] Result<bool> asks_for_stream(JsonView request);

// `stream` and `stream_options` of a request. Options mean nothing without a stream. Errors as
// asks_for_stream() says.
[[nodiscard]] Result<AnswerWish> openai_wish(JsonView request);

// What a request says of the provider's prompt cache beyond how to use it: to fill it instead of
// answering, or to compare with an earlier answer.
[[nodiscard]] bool asks_of_prompt_cache(JsonView request);

// Whether the moderation of an answer's input or output, which the request asked for, is an error.
[[nodiscard]] bool has_failed_moderation(JsonView body);

// By a limit's or a filter's word, or one that we do not know: kFinishReason.
[[nodiscard]] std::optional<StoreRefusal> judge_finish_reason(JsonView reason);

// `usage` with its prompt_tokens, completion_tokens and total_tokens; empty where any is missing:
// rather no usage than a wrong one.
[[nodiscard]] std::optional<TokenUsage> chat_usage(JsonView body);

}  // namespace llm_edge_cache::proxy
