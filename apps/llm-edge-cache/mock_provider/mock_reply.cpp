#include "mock_provider/mock_reply.hpp"

#include <fmt/format.h>

#include <numeric>

#include "base/parse_number.hpp"
#include "base/sha256.hpp"

namespace llm_edge_cache::app {

namespace {

constexpr int kMaxDepth = 64;

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

KeyDigest digest_of(const Json& request, std::initializer_list<const char*> delivery_members) {
  nlohmann::json sorted = request;
  for (const auto* member : delivery_members) sorted.erase(member);
  return sha256(sorted.dump());
}

// NNN of "mock-status-NNN".
std::optional<unsigned> forced_status(std::string_view model) {
  constexpr std::string_view kPrefix = "mock-status-";
  if (!model.starts_with(kPrefix)) return std::nullopt;
  const auto status = parse_number<unsigned>(model.substr(kPrefix.size()));
  return status && *status >= 400 && *status <= 599 ? status : std::nullopt;
}

std::string_view error_type(MockApi api, unsigned status) {
  if (status == 429) return "rate_limit_error";
  if (status == 401) return "authentication_error";
  if (status < 500) {
    return status == 404 && api == MockApi::kAnthropic ? "not_found_error"
                                                       : "invalid_request_error";
  }
  if (api == MockApi::kOpenAi) return "server_error";
  return status == 503 || status == 529 ? "overloaded_error" : "api_error";
}

}  // namespace

std::string MockReply::body() const {
  return std::accumulate(pieces.begin(), pieces.end(), std::string());
}

MockReply mock_error(MockApi api, unsigned status, std::string_view message,
                     std::string_view param) {
  MockReply reply;
  reply.status = status;
  Json error = {{"type", error_type(api, status)}, {"message", message}};
  if (api == MockApi::kAnthropic) {
    reply.pieces = {Json{{"type", "error"}, {"error", error}}.dump()};
  } else {
    error = {{"message", message},
             {"type", error_type(api, status)},
             {"param", param.empty() ? Json() : Json(param)},
             {"code", fmt::format("mock_{}", status)}};
    reply.pieces = {Json{{"error", error}}.dump()};
  }
  return reply;
}

bool mock_fails(double error_rate, std::uint64_t request_digest, std::uint64_t sequence) {
  MockRandom random(request_digest ^ (sequence * 0xD1B54A32D192ED03U));
  constexpr double kUnit = 1.0 / 9007199254740992.0;  // 2^-53
  return static_cast<double>(random.next() >> 11U) * kUnit < error_rate;
}

std::string MockRequest::id(std::string_view prefix) const {
  return std::string(prefix) + to_hex(digest).substr(0, 24);
}

std::int64_t MockRequest::created() const {
  return kMockEpoch + static_cast<std::int64_t>(digest.hash() % 10'000'000);
}

MockReply MockRequest::reply() const {
  MockReply reply;
  reply.digest = digest.hash();
  reply.cut_in_the_middle = model == "mock-cut";
  reply.is_stream = wants_stream();
  if (reply.is_stream) reply.content_type = "text/event-stream; charset=utf-8";
  return reply;
}

std::variant<MockRequest, MockReply> read_mock_request(
    MockApi api, std::string_view body, std::initializer_list<const char*> delivery_members) {
  MockRequest request;
  request.json = parse_request(body);
  if (!request.json.is_object()) return mock_error(api, 400, "The body is not a JSON object.");
  const auto& model = mock_member(request.json, "model");
  if (!model.is_string()) return mock_error(api, 400, "A model is required.", "model");
  request.model = model.get<std::string>();
  request.digest = digest_of(request.json, delivery_members);
  if (const auto status = forced_status(request.model)) {
    auto reply = mock_error(api, *status, "The model was asked to fail.");
    reply.digest = request.digest.hash();
    return reply;
  }
  return request;
}

const Json& mock_member(const Json& value, std::string_view name) {
  static const Json null;
  if (!value.is_object()) return null;
  const auto found = value.find(name);
  return found == value.end() ? null : *found;
}

}  // namespace llm_edge_cache::app
