#include "mock_provider/mock_completion.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace llm_edge_cache::app {

namespace {

constexpr std::size_t kMaxCompletions = 16;

struct Choice {
  std::vector<std::string> tokens;
  std::string finish_reason = "stop";
};

std::vector<Choice> choices_for(const MockRequest& request, const Json& prompt) {
  const bool is_list = prompt.is_array() && !prompt.empty() && prompt.front().is_string();
  const auto& n = mock_member(request.json, "n");
  const auto count = is_list ? prompt.size() : n.is_number_unsigned() ? n.get<std::size_t>() : 1;
  const auto& limit = mock_member(request.json, "max_tokens");
  std::vector<Choice> choices(std::clamp<std::size_t>(count, 1, kMaxCompletions));
  for (std::size_t i = 0; i < choices.size(); ++i) {
    MockRandom random(request.digest.hash() + i);
    choices[i].tokens = mock_tokens(mock_answer(random, is_list ? prompt[i] : prompt));
    if (limit.is_number_unsigned() && choices[i].tokens.size() > limit.get<std::size_t>()) {
      choices[i].tokens.resize(limit.get<std::size_t>());
      choices[i].finish_reason = "length";
    }
  }
  return choices;
}

Json envelope_of(const MockRequest& request) {
  return {{"id", request.id("cmpl-")},
          {"object", "text_completion"},
          {"created", request.created()},
          {"model", request.model}};
}

Json part(std::size_t index, std::string text, Json finish_reason) {
  return {{"text", std::move(text)},
          {"index", index},
          {"logprobs", nullptr},
          {"finish_reason", std::move(finish_reason)}};
}

std::string one_body(Json body, const std::vector<Choice>& choices, const Json& usage) {
  body["choices"] = Json::array();
  for (std::size_t i = 0; i < choices.size(); ++i) {
    std::string text;
    for (const auto& token : choices[i].tokens) text += token;
    body["choices"].push_back(part(i, std::move(text), choices[i].finish_reason));
  }
  body["usage"] = usage;
  return body.dump();
}

// One choice after the other.
std::vector<std::string> events(const Json& envelope, const std::vector<Choice>& choices,
                                const Json& usage, bool include_usage) {
  std::vector<std::string> events;
  const auto add = [&](Json list) {
    auto chunk = envelope;
    chunk["choices"] = std::move(list);
    if (include_usage) chunk["usage"] = chunk["choices"].empty() ? usage : Json();
    events.push_back(fmt::format("data: {}\n\n", chunk.dump()));
  };
  for (std::size_t i = 0; i < choices.size(); ++i) {
    for (const auto& token : choices[i].tokens) add(Json::array({part(i, token, nullptr)}));
    add(Json::array({part(i, "", choices[i].finish_reason)}));
  }
  if (include_usage) add(Json::array());
  events.emplace_back("data: [DONE]\n\n");
  return events;
}

}  // namespace

MockReply mock_completion(std::string_view request_body) {
  auto read =
      read_mock_request(MockApi::kOpenAi, request_body, {"stream", "stream_options", "user"});
  if (auto* fault = std::get_if<MockReply>(&read)) return std::move(*fault);
  const auto& request = std::get<MockRequest>(read);
  const auto& prompt = mock_member(request.json, "prompt");
  if (!prompt.is_string() && !prompt.is_array()) {
    return mock_error(MockApi::kOpenAi, 400, "A prompt is required.", "prompt");
  }
  const auto choices = choices_for(request, prompt);
  auto reply = request.reply();
  std::size_t written = 0;
  for (const auto& choice : choices) {
    written += choice.tokens.size();
    reply.tokens = std::max<std::uint64_t>(reply.tokens, choice.tokens.size());
  }
  const auto asked = prompt.dump().size() / 4 + 1;
  const Json usage = {
      {"prompt_tokens", asked}, {"completion_tokens", written}, {"total_tokens", asked + written}};
  if (reply.is_stream) {
    const auto& options = mock_member(request.json, "stream_options");
    reply.pieces =
        events(envelope_of(request), choices, usage, mock_member(options, "include_usage") == true);
  } else {
    reply.pieces = {one_body(envelope_of(request), choices, usage)};
  }
  return reply;
}

}  // namespace llm_edge_cache::app
