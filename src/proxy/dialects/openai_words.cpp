#include "proxy/dialects/openai_words.hpp"

#include <algorithm>
#include <array>

#include "proxy/dialects/answer_json.hpp"

namespace llm_edge_cache::proxy {
namespace {

// OpenAI's words, and those of compatible servers that say the same.
constexpr std::array<std::string_view, 6> kCompleteReasons = {
    "stop", "tool_calls", "function_call", "eos_token", "stop_sequence", "end_turn"};

// They are not part of the key: what they change must be known, and made of a stream without it.
bool are_known_stream_options(JsonView options) {
  constexpr std::string_view kRunningUsage = "continuous_usage_stats";  // vLLM's
  const auto running = options[kRunningUsage];
  return has_only(options, {"include_usage", "include_obfuscation", kRunningUsage}) &&
         (running.is_null() || running.is_false());
}

}  // namespace

std::string openai_error_body(const ProxyError& error) {
  const bool is_ours = error.status >= 500;
  const Json body = {{"error",
                      {{"message", error.message},
                       {"type", is_ours ? "upstream_error" : "invalid_request_error"},
                       {"param", nullptr},
                       {"code", error.code}}}};
  return body.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<bool> asks_for_stream(JsonView request) {
  if (!request.is_object()) {
    return Error{ErrorCode::kInvalidArgument, "the request is not a JSON object"};
  }
  const auto stream = request["stream"];
  if (!stream.is_true() && !stream.is_false() && !stream.is_null()) {
    return Error{ErrorCode::kInvalidArgument, "stream is not a boolean"};
  }
  return stream.is_true();
}

Result<AnswerWish> openai_wish(JsonView request) {
  const auto is_streamed = asks_for_stream(request);
  if (!is_streamed.ok()) {
    return is_streamed.error();
  }
  AnswerWish wish;
  if (*is_streamed) {
    const auto options = request["stream_options"];
    if (!options.is_null() && !are_known_stream_options(options)) {
      return Error{ErrorCode::kInvalidArgument, "stream_options has what we do not know"};
    }
    wish.form = AnswerForm::kStream;
    wish.include_usage = options["include_usage"].is_true();
    wish.without_padding = options["include_obfuscation"].is_false();
  }
  return wish;
}

bool asks_of_prompt_cache(JsonView request) {
  const auto options = request["prompt_cache_options"];
  return !options.is_null() && !has_only(options, {"mode", "ttl"});
}

bool has_failed_moderation(JsonView body) {
  const auto moderation = body["moderation"];
  return moderation["input"]["type"] == "error" || moderation["output"]["type"] == "error";
}

std::optional<StoreRefusal> judge_finish_reason(JsonView reason) {
  if (!reason.is_string()) {
    return StoreRefusal::kUnfinished;
  }
  const bool is_complete = std::find(kCompleteReasons.begin(), kCompleteReasons.end(),
                                     reason.text()) != kCompleteReasons.end();
  return is_complete ? std::nullopt : std::optional(StoreRefusal::kFinishReason);
}

std::optional<TokenUsage> chat_usage(JsonView body) {
  const auto usage = body["usage"];
  const auto prompt = usage["prompt_tokens"].count();
  const auto completion = usage["completion_tokens"].count();
  const auto total = usage["total_tokens"].count();
  if (!prompt || !completion || !total) {
    return std::nullopt;
  }
  return TokenUsage{*prompt, *completion, *total};
}

}  // namespace llm_edge_cache::proxy
