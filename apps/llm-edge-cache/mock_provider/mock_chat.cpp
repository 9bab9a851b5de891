#include "mock_provider/mock_chat.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>
#include <variant>

#include "mock_provider/mock_choice.hpp"
#include "mock_provider/mock_text.hpp"

namespace llm_edge_cache::app {

namespace {

constexpr std::uint64_t kMaxChoices = 16;

// What every part of an answer repeats.
struct Envelope {
  std::string id;
  std::int64_t created = 0;
  std::string model;

  [[nodiscard]] Json with(std::string_view object) const {
    return {{"id", id},
            {"object", object},
            {"created", created},
            {"model", model},
            {"system_fingerprint", "fp_mock"}};
  }
};

struct Usage {
  std::uint64_t prompt = 0;
  std::uint64_t completion = 0;

  [[nodiscard]] Json json() const {
    return {{"prompt_tokens", prompt},
            {"completion_tokens", completion},
            {"total_tokens", prompt + completion}};
  }
};

std::optional<MockReply> find_fault(const Json& request) {
  const auto messages = request.find("messages");
  if (messages == request.end() || !messages->is_array() || messages->empty() ||
      !std::ranges::all_of(*messages, [](const Json& message) { return message.is_object(); })) {
    return mock_error(MockApi::kOpenAi, 400, "A list of messages is required.", "messages");
  }
  return std::nullopt;
}

std::uint64_t number_of(const Json& request, const char* member, std::uint64_t otherwise) {
  const auto found = request.find(member);
  return found != request.end() && found->is_number_unsigned() ? found->get<std::uint64_t>()
                                                               : otherwise;
}

std::string one_body(const Envelope& envelope, const std::vector<MockChoice>& choices,
                     const Usage& usage) {
  auto body = envelope.with("chat.completion");
  body["choices"] = Json::array();
  for (std::size_t i = 0; i < choices.size(); ++i) {
    body["choices"].push_back({{"index", i},
                               {"message", choices[i].message()},
                               {"logprobs", nullptr},
                               {"finish_reason", choices[i].finish_reason}});
  }
  body["usage"] = usage.json();
  return body.dump();
}

class EventList {
 public:
  EventList(const Envelope& envelope, bool include_usage)
      : envelope_(envelope), include_usage_(include_usage) {}

  void delta(std::size_t index, Json delta, Json finish_reason = nullptr) {
    auto chunk = envelope_.with("chat.completion.chunk");
    chunk["choices"] = Json::array({{{"index", index},
                                     {"delta", std::move(delta)},
                                     {"logprobs", nullptr},
                                     {"finish_reason", std::move(finish_reason)}}});
    if (include_usage_) chunk["usage"] = nullptr;
    add(chunk);
  }

  std::vector<std::string> finish(const Usage& usage) && {
    if (include_usage_) {
      auto chunk = envelope_.with("chat.completion.chunk");
      chunk["choices"] = Json::array();
      chunk["usage"] = usage.json();
      add(chunk);
    }
    events_.emplace_back("data: [DONE]\n\n");
    return std::move(events_);
  }

 private:
  void add(const Json& chunk) { events_.push_back(fmt::format("data: {}\n\n", chunk.dump())); }

  const Envelope& envelope_;
  bool include_usage_;
  std::vector<std::string> events_;
};

// Choices advance side by side, as a provider's do.
std::vector<std::string> events(const Envelope& envelope, const std::vector<MockChoice>& choices,
                                const Usage& usage, bool include_usage) {
  EventList list(envelope, include_usage);
  std::size_t longest = 0;
  for (std::size_t i = 0; i < choices.size(); ++i) {
    list.delta(i, choices[i].first_delta());
    longest = std::max(longest, choices[i].tokens.size());
  }
  for (std::size_t token = 0; token < longest; ++token) {
    for (std::size_t i = 0; i < choices.size(); ++i) {
      if (token < choices[i].tokens.size()) list.delta(i, choices[i].token_delta(token));
    }
  }
  for (std::size_t i = 0; i < choices.size(); ++i) {
    list.delta(i, Json::object(), choices[i].finish_reason);
  }
  return std::move(list).finish(usage);
}

bool wants_usage(const Json& request) {
  const auto options = request.find("stream_options");
  return options != request.end() && options->is_object() &&
         options->value("include_usage", Json(false)) == Json(true);
}

}  // namespace

MockReply mock_chat(std::string_view request_body) {
  auto read = read_mock_request(MockApi::kOpenAi, request_body,
                                {"stream", "stream_options", "user", "metadata", "store",
                                 "safety_identifier", "prompt_cache_key"});
  if (auto* fault = std::get_if<MockReply>(&read)) return std::move(*fault);
  const auto& asked = std::get<MockRequest>(read);
  const auto& request = asked.json;
  if (auto fault = find_fault(request)) return *std::move(fault);

  const auto count = std::clamp<std::uint64_t>(number_of(request, "n", 1), 1, kMaxChoices);
  std::vector<MockChoice> choices;
  Usage usage{.prompt = request["messages"].dump().size() / 4 + 1};
  for (std::uint64_t i = 0; i < count; ++i) {
    choices.push_back(make_choice(request, asked.digest.hash() + i));
    usage.completion += choices.back().tokens.size();
  }
  const Envelope envelope{
      .id = asked.id("chatcmpl-"), .created = asked.created(), .model = asked.model};

  auto reply = asked.reply();
  for (const auto& choice : choices) {
    reply.tokens = std::max<std::uint64_t>(reply.tokens, choice.tokens.size());
  }
  if (reply.is_stream) {
    reply.pieces = events(envelope, choices, usage, wants_usage(request));
  } else {
    reply.pieces = {one_body(envelope, choices, usage)};
  }
  return reply;
}

MockReply mock_models() {
  auto models = Json::array();
  for (const auto* model : {"mock-small", "mock-large", "gpt-4o", "gpt-4o-mini"}) {
    models.push_back(
        {{"id", model}, {"object", "model"}, {"created", kMockEpoch}, {"owned_by", "mock"}});
  }
  MockReply reply;
  reply.pieces = {Json{{"object", "list"}, {"data", std::move(models)}}.dump()};
  return reply;
}

}  // namespace llm_edge_cache::app
