#include "proxy/dialects/anthropic_messages.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>

#include "proxy/dialects/messages_stream.hpp"
#include "proxy/dialects/openai_words.hpp"

namespace llm_edge_cache::proxy {
namespace {

constexpr std::array<std::string_view, 3> kCompleteReasons = {"end_turn", "tool_use",
                                                              "stop_sequence"};

// Tools by their types less the date at the end: those that the client runs, and those that only
// read what everybody can read.
constexpr std::array<std::string_view, 11> kKeptToolKinds = {"custom",
                                                             "bash",
                                                             "text_editor",
                                                             "computer",
                                                             "computer_toolset",
                                                             "browser_toolset",
                                                             "memory",
                                                             "web_search",
                                                             "web_fetch",
                                                             "tool_search_tool_bm25",
                                                             "tool_search_tool_regex"};

// Of the request, beside its tools: what refers to an earlier answer, to a container or to servers
// that somebody else runs, or can be used once.
constexpr std::array<std::string_view, 5> kStateMembers = {
    "container", "diagnostics", "fallback_credit_token", "mcp_servers", "thread"};

bool is_date(std::string_view text) {
  return text.size() == 8 &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool is_kept_tool(JsonView tool) {
  const auto type = tool["type"];
  if (type.is_null()) {
    return tool.is_object();  // the client's own, in the older spelling
  }
  const auto name = type.text();
  return std::any_of(kKeptToolKinds.begin(), kKeptToolKinds.end(), [&](std::string_view kind) {
    return name == kind || (name.starts_with(kind) && name[kind.size()] == '_' &&
                            is_date(name.substr(kind.size() + 1)));
  });
}

// A definition stands for itself; a reference, for a tool that is judged where it is defined.
bool is_kept_addition(JsonView tool) {
  const auto definition = tool["definition"];
  return definition.is_null() ? tool["type"] == "tool_reference" : is_kept_tool(definition);
}

// Of a message or a block. Blocks hold further ones: a system message amid the conversation does,
// and so does a summary of messages that brought tools.
bool brings_other_tools(JsonView block) {
  if (block["type"] == "tool_addition") {
    return !is_kept_addition(block["tool"]);
  }
  const auto have_any = [](JsonView blocks) {
    return std::any_of(blocks.begin(), blocks.end(), brings_other_tools);
  };
  return have_any(block["content"]) || have_any(block["tool_changes"]);
}

bool is_absent(JsonView value) {
  return value.is_null() || (value.is_array() && value.is_empty());
}

bool is_for_provider_alone(JsonView request) {
  const auto tools = request["tools"];
  const bool has_kept_tools =
      is_absent(tools) ||
      (tools.is_array() && std::all_of(tools.begin(), tools.end(), is_kept_tool));
  const auto messages = request["messages"];
  return !has_kept_tools || std::any_of(messages.begin(), messages.end(), brings_other_tools) ||
         std::any_of(kStateMembers.begin(), kStateMembers.end(),
                     [&](std::string_view name) { return !is_absent(request[name]); });
}

// A tool of the provider's failed, perhaps for a moment only, or its summary of what was said.
bool has_failed(JsonView block) {
  const auto type = block["type"].text();
  if (type == "compaction") {
    return block["content"].is_null();
  }
  return type.ends_with("_tool_result") &&
         (block["is_error"].is_true() || block["content"]["type"].text().ends_with("_error"));
}

std::string_view error_type(unsigned status) {
  switch (status) {
    case 401:
      return "authentication_error";
    case 403:
      return "permission_error";
    case 404:
      return "not_found_error";
    case 413:
      return "request_too_large";
    case 429:
      return "rate_limit_error";
    case 503:
      return "overloaded_error";
    case 504:
      return "timeout_error";
    default:
      return status >= 500 ? "api_error" : "invalid_request_error";
  }
}

}  // namespace

bool AnthropicMessagesDialect::matches(std::string_view method, std::string_view path) const {
  return method == "POST" && path == "/v1/messages";
}

const std::vector<std::string>& AnthropicMessagesDialect::default_keyless_members() const {
  static const std::vector<std::string> members = {"stream", "metadata"};
  return members;
}

Result<AnswerWish> AnthropicMessagesDialect::wish_of(JsonView request) const {
  if (is_for_provider_alone(request)) {
    return Error{ErrorCode::kInvalidArgument, "the answer depends on state of the provider"};
  }
  const auto is_streamed = asks_for_stream(request);
  if (!is_streamed.ok()) {
    return is_streamed.error();
  }
  AnswerWish wish;
  wish.form = *is_streamed ? AnswerForm::kStream : AnswerForm::kJson;
  return wish;
}

std::optional<StoreRefusal> AnthropicMessagesDialect::judge(JsonView body) const {
  const auto type = body["type"];
  if (type == "error") {
    return StoreRefusal::kErrorInAnswer;
  }
  if (type != "message" || !body["content"].is_array()) {
    return StoreRefusal::kMalformed;
  }
  const auto content = body["content"];
  if (std::any_of(content.begin(), content.end(), has_failed)) {
    return StoreRefusal::kErrorInAnswer;
  }
  const auto reason = body["stop_reason"];
  if (!reason.is_string()) {
    return StoreRefusal::kUnfinished;
  }
  const bool is_complete = std::find(kCompleteReasons.begin(), kCompleteReasons.end(),
                                     reason.text()) != kCompleteReasons.end();
  if (!is_complete) {
    return StoreRefusal::kFinishReason;
  }
  // Hands out a container that somebody may go on with.
  return body["container"].is_null() ? std::nullopt : std::optional(StoreRefusal::kNotAsked);
}

AnswerReview AnthropicMessagesDialect::describe(JsonView body) const {
  AnswerReview review;
  review.model = body["model"].text();
  review.finish_reason = body["stop_reason"].text();
  const auto usage = body["usage"];
  const auto input = usage["input_tokens"].count();
  const auto output = usage["output_tokens"].count();
  if (input && output) {
    const std::uint64_t prompt = std::uint64_t{*input} +
                                 usage["cache_creation_input_tokens"].count().value_or(0) +
                                 usage["cache_read_input_tokens"].count().value_or(0);
    if (prompt + *output <= std::numeric_limits<std::uint32_t>::max()) {
      review.usage = TokenUsage{static_cast<std::uint32_t>(prompt), *output,
                                static_cast<std::uint32_t>(prompt + *output)};
    }
  }
  return review;
}

Assembled AnthropicMessagesDialect::assemble(std::string_view stream) const {
  return assemble_message(stream);
}

std::optional<std::string> AnthropicMessagesDialect::split(const Json& body,
                                                           AnswerWish /*wish*/) const {
  return split_message(body);
}

std::string AnthropicMessagesDialect::error_body(const ProxyError& error) const {
  const Json body = {
      {"type", "error"},
      {"error",
       {{"type", error_type(error.status)}, {"message", error.message}, {"code", error.code}}}};
  return body.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace llm_edge_cache::proxy
