// What OpenAI's endpoints have in common.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "llm_edge_cache/cached_response.hpp"
#include "proxy/dialects/answer_json.hpp"
#include "proxy/dialects/dialect.hpp"

namespace llm_edge_cache::proxy {

// {"error": {"message", "type", "param", "code"}}
[[nodiscard]] std::string openai_error_body(const ProxyError& error);

// The request, where it is a JSON object whose `stream` is a boolean, null or absent.
[[nodiscard]] Result<Json> read_request(std::string_view body);

// `stream` and `stream_options` of such a request. Options mean nothing without a stream.
[[nodiscard]] AnswerWish openai_wish(const Json& request);

// What a request says of the provider's prompt cache beyond how to use it: to fill it instead of
// answering, or to compare with an earlier answer.
[[nodiscard]] bool asks_of_prompt_cache(const Json& request);

// By a limit's or a filter's word, or one that we do not know: kFinishReason.
[[nodiscard]] std::optional<StoreRefusal> judge_finish_reason(const Json& reason);

// `usage` with its prompt_tokens, completion_tokens and total_tokens; empty where any is missing:
// rather no usage than a wrong one.
[[nodiscard]] std::optional<TokenUsage> chat_usage(const Json& body);

}  // namespace llm_edge_cache::proxy
