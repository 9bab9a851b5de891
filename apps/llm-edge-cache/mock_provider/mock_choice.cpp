#include "mock_provider/mock_choice.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace llm_edge_cache::app {

namespace {

constexpr std::uint64_t kFewestWords = 8;
constexpr std::uint64_t kMostWords = 64;

const Json& member(const Json& value, const char* name) {
  static const Json null;
  if (!value.is_object()) return null;
  const auto found = value.find(name);
  return found == value.end() ? null : *found;
}

// The function that tool_choice demands: the one it names, or the first there is where it says
// "required".
const Json* demanded_function(const Json& request) {
  const auto& choice = member(request, "tool_choice");
  const auto& wanted = member(member(choice, "function"), "name");
  if (choice != Json("required") && !wanted.is_string()) return nullptr;
  const auto& tools = member(request, "tools");
  if (!tools.is_array()) return nullptr;
  for (const auto& tool : tools) {
    const auto& function = member(tool, "function");
    const auto& name = member(function, "name");
    if (name.is_string() && (wanted.is_null() || name == wanted)) return &function;
  }
  return nullptr;
}

std::string text_of(MockRandom& random, const Json& request) {
  const auto words = kFewestWords + random.below(kMostWords - kFewestWords + 1);
  const auto& format = member(request, "response_format");
  const auto& type = member(format, "type");
  if (type == Json("json_object")) return Json{{"answer", mock_sentence(random, words)}}.dump();
  if (type == Json("json_schema")) {
    return mock_value(random, member(member(format, "json_schema"), "schema")).dump();
  }
  const auto& asked = member(request["messages"].back(), "content");
  const auto echo = asked.is_string() ? asked.get<std::string>() : std::string("something");
  return fmt::format("You asked: {}\nAnswer: {}.", echo, mock_sentence(random, words));
}

// Words with the space or comma before them, much as tokenisers cut.
std::vector<std::string> split_tokens(const std::string& text) {
  std::vector<std::string> tokens;
  for (std::size_t start = 0; start < text.size();) {
    const auto end = std::min(text.find_first_of(" \n,", start + 1), text.size());
    tokens.push_back(text.substr(start, end - start));
    start = end;
  }
  return tokens;
}

std::uint64_t token_limit(const Json& request) {
  for (const auto* name : {"max_completion_tokens", "max_tokens"}) {
    const auto& limit = member(request, name);
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
    Json arguments = mock_value(random, member(*function, "parameters"));
    if (!arguments.is_object()) arguments = Json::object();
    choice.tokens = split_tokens(arguments.dump());
    choice.finish_reason = "tool_calls";
  } else {
    choice.tokens = split_tokens(text_of(random, request));
  }
  const auto limit = token_limit(request);
  if (choice.tokens.size() > limit) {
    choice.tokens.resize(limit);
    choice.finish_reason = "length";
  }
  return choice;
}

}  // namespace llm_edge_cache::app
