#include "mock_provider/mock_chat.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <numeric>
#include <optional>

#include "base/sha256.hpp"
#include "mock_provider/mock_choice.hpp"
#include "mock_provider/mock_text.hpp"

namespace llm_edge_cache::app {

namespace {

constexpr std::uint64_t kMaxChoices = 16;
constexpr int kMaxDepth = 64;
constexpr std::int64_t kFirstCreated = 1'700'000'000;

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

KeyDigest request_digest(const Json& request) {
  nlohmann::json sorted = request;
  for (const auto* member : {"stream", "stream_options", "user", "metadata", "store",
                             "safety_identifier", "prompt_cache_key"}) {
    sorted.erase(member);
  }
  return sha256(sorted.dump());
}

// Discarded where the text is no JSON, or nested so deep that recursion over it would be unsafe.
Json parse_request(std::string_view body) {
  bool too_deep = false;
  auto request = Json::parse(
      body,
      [&](int depth, Json::parse_event_t, Json&) {
        too_deep = too_deep || depth > kMaxDepth;
        return !too_deep;
      },
      /*allow_exceptions=*/false);
  return too_deep ? Json(Json::value_t::discarded) : request;
}

std::optional<MockReply> find_fault(const Json& request) {
  if (!request.is_object()) return mock_error(400, "The body is not a JSON object.");
  if (!request.contains("model") || !request["model"].is_string()) {
    return mock_error(400, "A model is required.", "model");
  }
  const auto messages = request.find("messages");
  if (messages == request.end() || !messages->is_array() || messages->empty() ||
      !std::ranges::all_of(*messages, [](const Json& message) { return message.is_object(); })) {
    return mock_error(400, "A list of messages is required.", "messages");
  }
  return std::nullopt;
}

// NNN of "mock-status-NNN".
std::optional<unsigned> forced_status(std::string_view model) {
  constexpr std::string_view kPrefix = "mock-status-";
  if (!model.starts_with(kPrefix)) return std::nullopt;
  unsigned status = 0;
  const auto* end = model.data() + model.size();
  const auto [rest, error] = std::from_chars(model.data() + kPrefix.size(), end, status);
  if (error != std::errc() || rest != end || status < 400 || status > 599) return std::nullopt;
  return status;
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

std::string MockReply::body() const {
  return std::accumulate(pieces.begin(), pieces.end(), std::string());
}

MockReply mock_chat(std::string_view request_body) {
  const auto request = parse_request(request_body);
  if (auto fault = find_fault(request)) return *std::move(fault);
  const auto model = request["model"].get<std::string>();
  const auto digest = request_digest(request);
  if (const auto status = forced_status(model)) {
    auto reply = mock_error(*status, "The model was asked to fail.");
    reply.digest = digest.hash();
    return reply;
  }

  const auto count = std::clamp<std::uint64_t>(number_of(request, "n", 1), 1, kMaxChoices);
  std::vector<MockChoice> choices;
  Usage usage{.prompt = request["messages"].dump().size() / 4 + 1};
  for (std::uint64_t i = 0; i < count; ++i) {
    choices.push_back(make_choice(request, digest.hash() + i));
    usage.completion += choices.back().tokens.size();
  }
  const Envelope envelope{
      .id = "chatcmpl-" + to_hex(digest).substr(0, 24),
      .created = kFirstCreated + static_cast<std::int64_t>(digest.hash() % 10'000'000),
      .model = model};

  MockReply reply;
  reply.digest = digest.hash();
  for (const auto& choice : choices) {
    reply.tokens = std::max<std::uint64_t>(reply.tokens, choice.tokens.size());
  }
  reply.cut_in_the_middle = model == "mock-cut";
  reply.is_stream = request.value("stream", Json(false)) == Json(true);
  if (reply.is_stream) {
    reply.content_type = "text/event-stream; charset=utf-8";
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
        {{"id", model}, {"object", "model"}, {"created", kFirstCreated}, {"owned_by", "mock"}});
  }
  MockReply reply;
  reply.pieces = {Json{{"object", "list"}, {"data", std::move(models)}}.dump()};
  return reply;
}

MockReply mock_error(unsigned status, std::string_view message, std::string_view param) {
  const auto* type = status == 429   ? "rate_limit_error"
                     : status == 401 ? "authentication_error"
                     : status >= 500 ? "server_error"
                                     : "invalid_request_error";
  MockReply reply;
  reply.status = status;
  reply.pieces = {Json{{"error",
                        {{"message", message},
                         {"type", type},
                         {"param", param.empty() ? Json() : Json(param)},
                         {"code", fmt::format("mock_{}", status)}}}}
                      .dump()};
  return reply;
}

bool mock_fails(double error_rate, std::uint64_t request_digest, std::uint64_t sequence) {
  MockRandom random(request_digest ^ (sequence * 0xD1B54A32D192ED03U));
  constexpr double kUnit = 1.0 / 9007199254740992.0;  // 2^-53
  return static_cast<double>(random.next() >> 11U) * kUnit < error_rate;
}

}  // namespace llm_edge_cache::app
