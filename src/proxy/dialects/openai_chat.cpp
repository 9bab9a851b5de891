#include "proxy/dialects/openai_chat.hpp"

#include <algorithm>

#include "proxy/dialects/chat_stream.hpp"
#include "proxy/dialects/chunk_stream.hpp"
#include "proxy/dialects/openai_words.hpp"

namespace llm_edge_cache::proxy {
namespace {

bool has_usable_arguments(JsonView function) {
  return is_tool_input(function["arguments"].text());
}

bool has_usable_calls(JsonView message) {
  const auto calls = message["tool_calls"];
  return has_usable_arguments(message["function_call"]) && (calls.is_null() || calls.is_array()) &&
         std::all_of(calls.begin(), calls.end(),
                     [](JsonView call) { return has_usable_arguments(call["function"]); });
}

}  // namespace

bool OpenAiChatDialect::matches(std::string_view method, std::string_view path) const {
  return method == "POST" && path == "/v1/chat/completions";
}

const std::vector<std::string>& OpenAiChatDialect::default_keyless_members() const {
  static const std::vector<std::string> members = {
      "stream",          "stream_options", "user", "metadata", "store", "safety_identifier",
      "prompt_cache_key"};
  return members;
}

Result<AnswerWish> OpenAiChatDialect::wish_of(JsonView request) const {
  if (asks_of_prompt_cache(request)) {
    return Error{ErrorCode::kInvalidArgument, "the request is about the provider's prompt cache"};
  }
  return openai_wish(request);
}

std::optional<StoreRefusal> OpenAiChatDialect::judge(JsonView body) const {
  if (!body["error"].is_null() || has_failed_moderation(body)) {
    return StoreRefusal::kErrorInAnswer;
  }
  const auto choices = body["choices"];
  if (body["object"] != "chat.completion" || !choices.is_array() || choices.is_empty()) {
    return StoreRefusal::kMalformed;
  }
  if (!body["metadata"].is_empty()) {
    return StoreRefusal::kNotAsked;  // one caller's own, which the key leaves out
  }
  for (const auto choice : choices) {
    if (!choice["message"].is_object()) {
      return StoreRefusal::kMalformed;
    }
    if (const auto refusal = judge_finish_reason(choice["finish_reason"])) {
      return refusal;
    }
    if (!has_usable_calls(choice["message"])) {
      return StoreRefusal::kMalformed;
    }
  }
  return std::nullopt;
}

AnswerReview OpenAiChatDialect::describe(JsonView body) const {
  AnswerReview review;
  review.model = body["model"].text();
  review.usage = chat_usage(body);
  review.finish_reason = (*body["choices"].begin())["finish_reason"].text();
  return review;
}

Assembled OpenAiChatDialect::assemble(std::string_view stream) const {
  return assemble_chat(stream);
}

std::optional<std::string> OpenAiChatDialect::split(const Json& body, AnswerWish wish) const {
  if (wish.include_usage && !member_of(body, "usage").is_object()) {
    return std::nullopt;
  }
  return split_chat(body, wish.include_usage);
}

Json OpenAiChatDialect::streamed_part(const Json& body, AnswerWish wish) const {
  return streamed_chat_part(chunked_part(body, wish));
}

Result<std::optional<std::string>> OpenAiChatDialect::adapt_stream(std::string_view stream,
                                                                   AnswerWish wish) const {
  return adapt_chunks(stream, wish);
}

std::string OpenAiChatDialect::error_body(const ProxyError& error) const {
  return openai_error_body(error);
}

}  // namespace llm_edge_cache::proxy
