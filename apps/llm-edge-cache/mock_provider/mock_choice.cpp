#include "mock_provider/mock_choice.hpp"

#include <fmt/format.h>

#include "mock_provider/mock_reply.hpp"

namespace llm_edge_cache::app {

namespace {

// The function that tool_choice demands: the one it names, or the first there is where it says
// "required".
const Json* demanded_function(const Json& request) {
  const auto& choice = mock_member(request, "tool_choice");
  const auto& wanted = mock_member(mock_member(choice, "function"), "name");
  if (choice != Json("required") && !wanted.is_string()) return nullptr;
  const auto& tools = mock_member(request, "tools");
  if (!tools.is_array()) return nullptr;
  for (const auto& tool : tools) {
    const auto& function = mock_member(tool, "function");
    const auto& name = mock_member(function, "name");
    if (name.is_string() && (wanted.is_null() || name == wanted)) return &function;
  }
  return nullptr;
}

std::string text_of(MockRandom& random, const Json& request) {
  const auto& format = mock_member(request, "response_format");
  const auto& type = mock_member(format, "type");
  if (type == Json("json_object"))
    return Json{{"answer", mock_sentence(random, mock_length(random))}}.dump();
  if (type == Json("json_schema")) {
    return mock_value(random, mock_member(mock_member(format, "json_schema"), "schema")).dump();
  }
  return mock_answer(random, mock_member(request["messages"].back(), "content"));
}

std::uint64_t token_limit(const Json& request) {
  for (const auto* name : {"max_completion_tokens", "max_tokens"}) {
    const auto& limit = mock_member(request, name);
    if (limit.is_number_unsigned()) return limit.get<std::uint64_t>();
  }
  return ~std::uint64_t{0};
}

Json call_json(const MockChoice::ToolCall& call, std::string arguments) {
  return {{"id", call.id},
          {"type", "function"},
          {"function", {{"name", call.name}, {"arguments", std::move(arguments)}}}};
}

}  // namespace

Json MockChoice::message() const {
  std::string text;
  for (const auto& token : tokens) text += token;
  if (!call) return {{"role", "assistant"}, {"content", text}, {"refusal", nullptr}};
  return {{"role", "assistant"},
          {"content", nullptr},
          {"tool_calls", Json::array({call_json(*call, std::move(text))})}};
}

Json MockChoice::first_delta() const {
  if (!call) return {{"role", "assistant"}, {"content", ""}, {"refusal", nullptr}};
  Json first = {{"index", 0}};
  first.update(call_json(*call, ""));
  return {{"role", "assistant"}, {"content", nullptr}, {"tool_calls", Json::array({first})}};
}

Json MockChoice::token_delta(std::size_t token) const {
  if (!call) return {{"content", tokens[token]}};
  return {
      {"tool_calls", Json::array({{{"index", 0}, {"function", {{"arguments", tokens[token]}}}}})}};
}

MockChoice make_choice(const Json& request, std::uint64_t seed) {
  MockRandom random(seed);
  MockChoice choice;
  if (const auto* function = demanded_function(request)) {
    choice.call = {.id = fmt::format("call_{:016x}", random.next()),
                   .name = (*function)["name"].get<std::string>()};
    Json arguments = mock_value(random, mock_member(*function, "parameters"));
    if (!arguments.is_object()) arguments = Json::object();
    choice.tokens = mock_tokens(arguments.dump());
    choice.finish_reason = "tool_calls";
  } else {
    choice.tokens = mock_tokens(text_of(random, request));
  }
  const auto limit = token_limit(request);
  if (choice.tokens.size() > limit) {
    choice.tokens.resize(limit);
    choice.finish_reason = "length";
  }
  return choice;
}

}  // namespace llm_edge_cache::app
