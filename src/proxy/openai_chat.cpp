#include "proxy/openai_chat.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>

#include "proxy/answer_json.hpp"
#include "proxy/chat_stream.hpp"

namespace llm_edge_cache::proxy {
namespace {

// OpenAI's words, and those of compatible servers that say the same.
constexpr std::array<std::string_view, 6> kCompleteReasons = {
    "stop", "tool_calls", "function_call", "eos_token", "stop_sequence", "end_turn"};

Error unusable(std::string message) {
  return {ErrorCode::kInvalidArgument, std::move(message)};
}

std::string text_of(const Json& value) {
  return value.is_string() ? value.get<std::string>() : std::string();
}

// Empty where a count is missing, negative or beyond 32 bits: rather no usage than a wrong one.
std::optional<std::uint32_t> count_of(const Json& value) {
  if (!value.is_number_unsigned() ||
      value.get<std::uint64_t>() > std::numeric_limits<std::uint32_t>::max()) {
    return std::nullopt;
  }
  return value.get<std::uint32_t>();
}

std::optional<TokenUsage> usage_of(const Json& body) {
  const Json& usage = member_of(body, "usage");
  const auto prompt = count_of(member_of(usage, "prompt_tokens"));
  const auto completion = count_of(member_of(usage, "completion_tokens"));
  const auto total = count_of(member_of(usage, "total_tokens"));
  if (!prompt || !completion || !total) {
    return std::nullopt;
  }
  return TokenUsage{*prompt, *completion, *total};
}

std::optional<StoreRefusal> judge_choice(const Json& choice) {
  if (!member_of(choice, "message").is_object()) {
    return StoreRefusal::kMalformed;
  }
  const Json& reason = member_of(choice, "finish_reason");
  if (!reason.is_string()) {
    return StoreRefusal::kUnfinished;
  }
  const auto& word = reason.get_ref<const std::string&>();
  const bool is_complete =
      std::find(kCompleteReasons.begin(), kCompleteReasons.end(), word) != kCompleteReasons.end();
  return is_complete ? std::nullopt : std::optional(StoreRefusal::kFinishReason);
}

std::optional<StoreRefusal> judge_body(const Json& body) {
  if (!member_of(body, "error").is_null()) {
    return StoreRefusal::kErrorInAnswer;
  }
  const Json& choices = member_of(body, "choices");
  if (member_of(body, "object") != "chat.completion" || !choices.is_array() || choices.empty()) {
    return StoreRefusal::kMalformed;
  }
  for (const auto& choice : choices) {
    if (const auto refusal = judge_choice(choice)) {
      return refusal;
    }
  }
  return std::nullopt;
}

AnswerReview refused(StoreRefusal refusal) {
  AnswerReview review;
  review.refusal = refusal;
  return review;
}

AnswerReview review_body(const Json& body) {
  if (const auto refusal = judge_body(body)) {
    return refused(*refusal);
  }
  AnswerReview review;
  review.model = text_of(member_of(body, "model"));
  review.usage = usage_of(body);
  review.finish_reason = text_of(member_of(body["choices"].front(), "finish_reason"));
  return review;
}

Result<std::optional<std::string>> adapt_stream(std::string_view stream, AnswerWish wish) {
  const auto usage = find_usage_chunk(stream);
  if (wish.include_usage && usage.empty()) {
    return unusable("the recorded stream carries no usage");
  }
  if (wish.include_usage || usage.empty()) {
    return std::optional<std::string>();
  }
  const auto at = static_cast<std::size_t>(usage.data() - stream.data());
  std::string rest(stream.substr(0, at));
  rest += stream.substr(at + usage.size());
  return std::optional(std::move(rest));
}

Result<std::optional<std::string>> split_body(std::string_view answer, AnswerWish wish) {
  const auto body = parse_answer_json(answer);
  if (!body || judge_body(*body)) {
    return unusable("the recorded answer is not a chat completion");
  }
  if (wish.include_usage && !member_of(*body, "usage").is_object()) {
    return unusable("the recorded answer carries no usage");
  }
  return std::optional(split_chat(*body, wish.include_usage));
}

Result<std::optional<std::string>> join_stream(std::string_view stream) {
  const auto assembled = assemble_chat(stream);
  if (assembled.refusal) {
    return unusable("the recorded stream is not a whole chat completion");
  }
  return std::optional(assembled.body.dump());
}

}  // namespace

bool OpenAiChatDialect::matches(std::string_view method, std::string_view path) const {
  return method == "POST" && path == "/v1/chat/completions";
}

std::vector<std::string> OpenAiChatDialect::default_keyless_members() const {
  return {"stream",          "stream_options", "user", "metadata", "store", "safety_identifier",
          "prompt_cache_key"};
}

Result<AnswerWish> OpenAiChatDialect::read_wish(std::string_view request_body) const {
  const auto body = parse_answer_json(request_body);
  if (!body || !body->is_object()) {
    return unusable("the request is not a JSON object");
  }
  const Json& stream = member_of(*body, "stream");
  if (!stream.is_boolean() && !stream.is_null()) {
    return unusable("stream is not a boolean");
  }
  AnswerWish wish;
  if (stream == true) {
    wish.form = AnswerForm::kStream;
    wish.include_usage = member_of(member_of(*body, "stream_options"), "include_usage") == true;
  }
  return wish;
}

AnswerReview OpenAiChatDialect::review(AnswerForm form, std::string_view answer) const {
  if (form == AnswerForm::kStream) {
    const auto assembled = assemble_chat(answer);
    return assembled.refusal ? refused(*assembled.refusal) : review_body(assembled.body);
  }
  const auto body = parse_answer_json(answer);
  return body ? review_body(*body) : refused(StoreRefusal::kMalformed);
}

Result<std::optional<std::string>> OpenAiChatDialect::adapt(AnswerForm recorded,
                                                            std::string_view answer,
                                                            AnswerWish wish) const {
  if (recorded == AnswerForm::kStream) {
    return wish.form == AnswerForm::kStream ? adapt_stream(answer, wish) : join_stream(answer);
  }
  if (wish.form == AnswerForm::kStream) {
    return split_body(answer, wish);
  }
  return std::optional<std::string>();
}

std::string OpenAiChatDialect::error_body(const ProxyError& error) const {
  const bool is_ours = error.status >= 500;
  const Json body = {{"error",
                      {{"message", error.message},
                       {"type", is_ours ? "upstream_error" : "invalid_request_error"},
                       {"param", nullptr},
                       {"code", error.code}}}};
  return body.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace llm_edge_cache::proxy
