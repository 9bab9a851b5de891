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

bool is_kept_tool(JsonView tool) {
  return std::find(kKeptTools.begin(), kKeptTools.end(), tool["type"].text()) != kKeptTools.end();
}

bool has_only_kept_tools(JsonView request) {
  const auto tools = request["tools"];
  return tools.is_null() ||
         (tools.is_array() && std::all_of(tools.begin(), tools.end(), is_kept_tool));
}

bool refers_to_items(JsonView request) {
  const auto input = request["input"];
  return std::any_of(input.begin(), input.end(),
                     [](JsonView item) { return item["type"] == "item_reference"; });
}

bool is_for_provider_alone(JsonView request) {
  for (const auto* name : {"previous_response_id", "conversation", "prompt"}) {
    if (!request[name].is_null()) {
      return true;
    }
  }
  const auto background = request["background"];
  return !(background.is_null() || background.is_false()) || refers_to_items(request) ||
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

Result<AnswerWish> OpenAiResponsesDialect::wish_of(JsonView request) const {
  if (is_for_provider_alone(request)) {
    return Error{ErrorCode::kInvalidArgument, "the answer depends on state of the provider"};
  }
  auto wish = openai_wish(request);
  if (wish.ok()) {
    wish->include_usage = false;  // these streams always have it
  }
  return wish;
}

std::optional<StoreRefusal> OpenAiResponsesDialect::judge(JsonView body) const {
  if (!body["error"].is_null()) {
    return StoreRefusal::kErrorInAnswer;
  }
  if (body["object"] != "response" || !body["output"].is_array()) {
    return StoreRefusal::kMalformed;
  }
  const auto status = body["status"].text();
  if (status != "completed") {
    return status == "incomplete" ? StoreRefusal::kFinishReason : StoreRefusal::kUnfinished;
  }
  const auto output = body["output"];
  if (std::any_of(output.begin(), output.end(),
                  [](JsonView item) { return item["status"] == "failed"; })) {
    return StoreRefusal::kErrorInAnswer;  // of a tool of the provider's
  }
  const bool has_usable_calls = std::all_of(output.begin(), output.end(), [](JsonView item) {
    return item["type"] != "function_call" || is_tool_input(item["arguments"].text());
  });
  return has_usable_calls ? std::nullopt : std::optional(StoreRefusal::kMalformed);
}

AnswerReview OpenAiResponsesDialect::describe(JsonView body) const {
  AnswerReview review;
  review.model = body["model"].text();
  review.finish_reason = body["status"].text();
  const auto usage = body["usage"];
  const auto input = usage["input_tokens"].count();
  const auto output = usage["output_tokens"].count();
  const auto total = usage["total_tokens"].count();
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
