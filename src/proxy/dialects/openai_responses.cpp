#include "proxy/dialects/openai_responses.hpp"

#include <algorithm>
#include <array>

#include "proxy/dialects/openai_words.hpp"
#include "proxy/dialects/padding.hpp"
#include "proxy/dialects/responses_stream.hpp"

namespace llm_edge_cache::proxy {
namespace {

// Tools that the client runs, and those that only read what everybody can read.
constexpr std::array<std::string_view, 7> kKeptTools = {
    "function",    "custom",   "image_generation",    "local_shell",
    "apply_patch", "computer", "computer_use_preview"};
// Likewise, with a date at the end or without.
constexpr std::array<std::string_view, 2> kKeptToolKinds = {"web_search", "web_search_preview"};

// Output items, beside those of servers that somebody else runs, of tools that are not kept.
constexpr std::array<std::string_view, 4> kStateItems = {
    "code_interpreter_call", "file_search_call", "program_output", "shell_call_output"};

bool is_one_of(std::string_view name, const auto& names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// As in 2025_08_26.
bool is_date(std::string_view text) {
  constexpr std::string_view kForm = "0000_00_00";
  return std::equal(text.begin(), text.end(), kForm.begin(), kForm.end(), [](char c, char form) {
    return form == '_' ? c == '_' : c >= '0' && c <= '9';
  });
}

bool is_of_kept_kind(std::string_view type) {
  return std::any_of(kKeptToolKinds.begin(), kKeptToolKinds.end(), [type](std::string_view kind) {
    return type == kind || (type.starts_with(kind) && type[kind.size()] == '_' &&
                            is_date(type.substr(kind.size() + 1)));
  });
}

bool are_kept_tools(JsonView tools);

bool is_kept_tool(JsonView tool) {
  const auto type = tool["type"].text();
  if (type == "namespace") {
    return are_kept_tools(tool["tools"]);
  }
  if (type == "shell") {
    return tool["environment"]["type"] == "local";  // else a container of the provider's
  }
  if (type == "tool_search") {
    return tool["execution"] == "client";
  }
  return is_one_of(type, kKeptTools) || is_of_kept_kind(type);
}

bool are_kept_tools(JsonView tools) {
  return tools.is_array() && std::all_of(tools.begin(), tools.end(), is_kept_tool);
}

// Of a request, or of an input item that brings some along.
bool has_other_tools(JsonView holder) {
  const auto tools = holder["tools"];
  return !tools.is_null() && !are_kept_tools(tools);
}

bool refers_to_item(JsonView item) {
  const auto type = item["type"];
  if (type == "item_reference") {
    return true;
  }
  // The provider looks up an image that is not there, and an item of which there is only the id.
  const bool is_partial = type.is_null()
                              ? item["role"].is_null()
                              : type == "image_generation_call" && item["result"].is_null();
  return is_partial && !item["id"].is_null();
}

bool has_input_for_provider_alone(JsonView request) {
  const auto input = request["input"];
  return std::any_of(input.begin(), input.end(),
                     [](JsonView item) { return refers_to_item(item) || has_other_tools(item); });
}

bool is_for_provider_alone(JsonView request) {
  for (const auto* name : {"previous_response_id", "conversation", "prompt"}) {
    if (!request[name].is_null()) {
      return true;
    }
  }
  const auto background = request["background"];
  return !(background.is_null() || background.is_false()) || asks_of_prompt_cache(request) ||
         has_other_tools(request) || has_input_for_provider_alone(request);
}

// Of a tool of the provider's, perhaps for a moment only.
bool has_failed(JsonView item) {
  return item["status"] == "failed" || item["status"] == "incomplete";
}

// Such requests are not cached; this is for tools that one brought in a way that we do not know.
bool is_of_other_tool(JsonView item) {
  const auto type = item["type"].text();
  return type.starts_with("mcp_") || is_one_of(type, kStateItems);
}

bool has_usable_input(JsonView item) {
  return item["type"] != "function_call" || is_tool_input(item["arguments"].text());
}

std::optional<StoreRefusal> judge_output(JsonView output) {
  if (std::any_of(output.begin(), output.end(), has_failed)) {
    return StoreRefusal::kErrorInAnswer;
  }
  if (std::any_of(output.begin(), output.end(), is_of_other_tool)) {
    return StoreRefusal::kNotAsked;
  }
  const bool is_usable = std::all_of(output.begin(), output.end(), has_usable_input);
  return is_usable ? std::nullopt : std::optional(StoreRefusal::kMalformed);
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
  if (!body["error"].is_null() || has_failed_moderation(body)) {
    return StoreRefusal::kErrorInAnswer;
  }
  if (body["object"] != "response" || !body["output"].is_array()) {
    return StoreRefusal::kMalformed;
  }
  const auto status = body["status"].text();
  if (status != "completed") {
    return status == "incomplete" ? StoreRefusal::kFinishReason : StoreRefusal::kUnfinished;
  }
  return judge_output(body["output"]);
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
