#include "proxy/dialects/openai_words.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace llm_edge_cache::proxy {
namespace {

// OpenAI's words, and those of compatible servers that say the same.
constexpr std::array<std::string_view, 6> kCompleteReasons = {
    "stop", "tool_calls", "function_call", "eos_token", "stop_sequence", "end_turn"};

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

Result<Json> read_request(std::string_view body) {
  auto request = parse_answer_json(body);
  if (!request || !request->is_object()) {
    return Error{ErrorCode::kInvalidArgument, "the request is not a JSON object"};
  }
  const Json& stream = member_of(*request, "stream");
  if (!stream.is_boolean() && !stream.is_null()) {
    return Error{ErrorCode::kInvalidArgument, "stream is not a boolean"};
  }
  return std::move(*request);
}

AnswerWish openai_wish(const Json& request) {
  AnswerWish wish;
  if (member_of(request, "stream") == true) {
    const Json& options = member_of(request, "stream_options");
    wish.form = AnswerForm::kStream;
    wish.include_usage = member_of(options, "include_usage") == true;
    wish.without_padding = member_of(options, "include_obfuscation") == false;
  }
  return wish;
}

bool asks_of_prompt_cache(const Json& request) {
  const Json& options = member_of(request, "prompt_cache_options");
  return !options.is_null() && !has_only(options, {"mode", "ttl"});
}

std::optional<StoreRefusal> judge_finish_reason(const Json& reason) {
  if (!reason.is_string()) {
    return StoreRefusal::kUnfinished;
  }
  const auto& word = reason.get_ref<const std::string&>();
  const bool is_complete =
      std::find(kCompleteReasons.begin(), kCompleteReasons.end(), word) != kCompleteReasons.end();
  return is_complete ? std::nullopt : std::optional(StoreRefusal::kFinishReason);
}

std::optional<TokenUsage> chat_usage(const Json& body) {
  const Json& usage = member_of(body, "usage");
  const auto prompt = count_of(member_of(usage, "prompt_tokens"));
  const auto completion = count_of(member_of(usage, "completion_tokens"));
  const auto total = count_of(member_of(usage, "total_tokens"));
  if (!prompt || !completion || !total) {
    return std::nullopt;
  }
  return TokenUsage{*prompt, *completion, *total};
}

}  // namespace llm_edge_cache::proxy
