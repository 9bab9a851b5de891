#include "proxy/dialects/openai_responses.hpp"

#include <algorithm>
#include <array>

#include "proxy/dialects/openai_words.hpp"
#include "proxy/dialects/padding.hpp"
#include "proxy/dialects/responses_stream.hpp"

namespace llm_edge_cache::proxy {
namespace {

// Tools that the client runs, and those that only read what everybody can read.
constexpr std::array<std::string_view, 10> kKeptTools = {
    "function",           "custom",
    "web_search",         "web_search_2025_08_26",
    "web_search_preview", "web_search_preview_2025_03_11",
    "image_generation",   "local_shell",
    "apply_patch",        "computer_use_preview"};

bool is_kept_tool(const Json& tool) {
  const auto type = text_of(member_of(tool, "type"));
  return std::find(kKeptTools.begin(), kKeptTools.end(), type) != kKeptTools.end();
}

bool has_only_kept_tools(const Json& request) {
  const Json& tools = member_of(request, "tools");
  return tools.is_null() ||
         (tools.is_array() && std::all_of(tools.begin(), tools.end(), is_kept_tool));
}

bool refers_to_items(const Json& request) {
  const Json& input = member_of(request, "input");
  return input.is_array() && std::any_of(input.begin(), input.end(), [](const Json& item) {
           return member_of(item, "type") == "item_reference";
         });
}

bool is_for_provider_alone(const Json& request) {
  for (const auto* name : {"previous_response_id", "conversation", "prompt"}) {
    if (!member_of(request, name).is_null()) {
      return true;
    }
  }
  const Json& background = member_of(request, "background");
  return !(background.is_null() || background == false) || refers_to_items(request) ||
         asks_of_prompt_cache(request) || !has_only_kept_tools(request);
}

}  // namespace

bool OpenAiResponsesDialect::matches(std::string_view method, std::string_view path) const {
  return method == "POST" && path == "/v1/responses";
}

const std::vector<std::string>& OpenAiResponsesDialect::default_keyless_members() const {
  static const std::vector<std::string> members = {"stream", "stream_options"};
  return members;
}

Result<AnswerWish> OpenAiResponsesDialect::read_wish(std::string_view request_body) const {
  const auto request = read_request(request_body);
  if (!request.ok()) {
    return request.error();
  }
  if (is_for_provider_alone(*request)) {
    return Error{ErrorCode::kInvalidArgument, "the answer depends on state of the provider"};
  }
  auto wish = openai_wish(*request);
  wish.include_usage = false;  // these streams always have it
  return wish;
}

std::optional<StoreRefusal> OpenAiResponsesDialect::judge(const Json& body) const {
  if (!member_of(body, "error").is_null()) {
    return StoreRefusal::kErrorInAnswer;
  }
  if (member_of(body, "object") != "response" || !member_of(body, "output").is_array()) {
    return StoreRefusal::kMalformed;
  }
  const auto status = text_of(member_of(body, "status"));
  if (status != "completed") {
    return status == "incomplete" ? StoreRefusal::kFinishReason : StoreRefusal::kUnfinished;
  }
  const Json& output = member_of(body, "output");
  const bool has_usable_calls = std::all_of(output.begin(), output.end(), [](const Json& item) {
    return member_of(item, "type") != "function_call" ||
           is_tool_input(text_of(member_of(item, "arguments")));
  });
  return has_usable_calls ? std::nullopt : std::optional(StoreRefusal::kMalformed);
}

AnswerReview OpenAiResponsesDialect::describe(const Json& body) const {
  AnswerReview review;
  review.model = text_of(member_of(body, "model"));
  review.finish_reason = text_of(member_of(body, "status"));
  const Json& usage = member_of(body, "usage");
  const auto input = count_of(member_of(usage, "input_tokens"));
  const auto output = count_of(member_of(usage, "output_tokens"));
  const auto total = count_of(member_of(usage, "total_tokens"));
  if (input && output && total) {
    review.usage = TokenUsage{*input, *output, *total};
  }
  return review;
}

Assembled OpenAiResponsesDialect::assemble(std::string_view stream) const {
  return assemble_response(stream);
}

std::optional<std::string> OpenAiResponsesDialect::split(const Json& body,
                                                         AnswerWish /*wish*/) const {
  return split_response(body);
}

Result<std::optional<std::string>> OpenAiResponsesDialect::adapt_stream(std::string_view stream,
                                                                        AnswerWish wish) const {
  if (wish.without_padding && is_padded(stream)) {
    return strip_padding(stream);
  }
  return std::optional<std::string>();
}

std::string OpenAiResponsesDialect::error_body(const ProxyError& error) const {
  return openai_error_body(error);
}

}  // namespace llm_edge_cache::proxy
