#include "mock_provider/mock_provider.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <utility>

#include "mock_provider/mock_chat.hpp"
#include "mock_provider/mock_completion.hpp"
#include "mock_provider/mock_delivery.hpp"
#include "mock_provider/mock_embeddings.hpp"
#include "mock_provider/mock_messages.hpp"
#include "mock_provider/mock_responses.hpp"
#include "mock_provider/mock_text.hpp"

namespace llm_edge_cache::app {

namespace {

constexpr std::size_t kMaxBodyBytes = 64U << 20U;

http::ServerOptions server_options(const MockProviderOptions& options) {
  http::ServerOptions server;
  server.listen = options.listen;
  server.max_body_bytes = kMaxBodyBytes;
  return server;
}

MockPace pace_of(const MockProviderOptions& options) {
  MockPace pace{.first_token = std::chrono::milliseconds(options.ttft_ms)};
  if (options.tokens_per_second > 0) {
    pace.per_token = std::chrono::nanoseconds(std::llround(1e9 / options.tokens_per_second));
  }
  return pace;
}

struct Endpoint {
  std::string_view path;
  MockApi api;
  MockReply (*answer)(std::string_view request_body);
};
constexpr std::array<Endpoint, 6> kEndpoints = {{
    {"/v1/chat/completions", MockApi::kOpenAi, mock_chat},
    {"/v1/completions", MockApi::kOpenAi, mock_completion},
    {"/v1/embeddings", MockApi::kOpenAi, mock_embeddings},
    {"/v1/responses", MockApi::kOpenAi, mock_responses},
    {"/v1/messages", MockApi::kAnthropic, mock_messages},
    {"/v1/messages/count_tokens", MockApi::kAnthropic, mock_count_tokens},
}};

const Endpoint* endpoint_at(const http::RequestHead& head) {
  const auto* const found = std::ranges::find(kEndpoints, head.path(), &Endpoint::path);
  return head.method == "POST" && found != kEndpoints.end() ? found : nullptr;
}

class MockHandler final : public http::Handler, public std::enable_shared_from_this<MockHandler> {
 public:
  explicit MockHandler(const MockProviderOptions& options) : options_(options) {}

  void handle(std::shared_ptr<http::Exchange> exchange) override {
    const auto& head = exchange->head();
    if (head.method == "GET" && head.path() == "/mock/requests") return send(exchange, counts());
    const auto* endpoint = endpoint_at(head);
    const auto api = endpoint == nullptr ? MockApi::kOpenAi : endpoint->api;
    if (options_.require_auth && !is_authorized(head)) {
      return send(exchange, mock_error(api, 401, "A credential is required."));
    }
    if (head.method == "GET" && head.path() == "/v1/models") return send(exchange, mock_models());
    if (endpoint != nullptr) return answer(exchange, *endpoint);
    send(exchange, mock_error(api, 404, "There is nothing of that method and path."));
  }

 private:
  static bool is_authorized(const http::RequestHead& head) {
    const auto value = head.headers.get("authorization");
    return (value && value->starts_with("Bearer ") && value->size() > 7) ||
           !head.headers.get("x-api-key").value_or("").empty();
  }

  void answer(const std::shared_ptr<http::Exchange>& exchange, const Endpoint& endpoint) {
    exchange->read_body(kMaxBodyBytes, [self = shared_from_this(), exchange, &endpoint](auto body) {
      if (!body) return;  // the server has answered
      auto reply = endpoint.answer(*body);
      const auto sequence = self->requests_.fetch_add(1, std::memory_order_relaxed);
      const auto seeded = reply.digest ^ self->options_.seed;
      if (mock_fails(self->options_.error_rate, seeded, sequence)) {
        reply = (seeded ^ sequence) % 2 == 0
                    ? mock_error(endpoint.api, 429, "The simulated rate limit is reached.")
                    : mock_error(endpoint.api, 500, "A simulated failure.");
      }
      if (reply.status != 200) self->errors_.fetch_add(1, std::memory_order_relaxed);
      self->send(exchange, std::move(reply), pace_of(self->options_));
    });
  }

  void send(const std::shared_ptr<http::Exchange>& exchange, MockReply reply, MockPace pace = {}) {
    MockDelivery::start(exchange, std::move(reply), pace, [self = shared_from_this()] {
      self->abandoned_.fetch_add(1, std::memory_order_relaxed);
    });
  }

  [[nodiscard]] MockReply counts() const {
    MockReply reply;
    reply.pieces = {Json{{"requests", requests_.load(std::memory_order_relaxed)},
                         {"errors", errors_.load(std::memory_order_relaxed)},
                         {"abandoned", abandoned_.load(std::memory_order_relaxed)}}
                        .dump()};
    return reply;
  }

  const MockProviderOptions options_;
  std::atomic<std::uint64_t> requests_ = 0;
  std::atomic<std::uint64_t> errors_ = 0;
  std::atomic<std::uint64_t> abandoned_ = 0;
};

Error invalid(std::string message) {
  return {ErrorCode::kInvalidArgument, std::move(message)};
}

}  // namespace

Status MockProviderOptions::validate() const {
  if (!(error_rate >= 0 && error_rate <= 1)) return invalid("--error-rate must be from 0 to 1");
  if (!(tokens_per_second == 0 || (tokens_per_second >= 0.1 && tokens_per_second <= 1e6))) {
    return invalid("--tokens-per-second must be 0, or from 0.1 to 1000000");
  }
  if (ttft_ms > 3'600'000) return invalid("--ttft-ms must be at most an hour");
  return {};
}

MockProvider::MockProvider(http::IoThreads& threads, const MockProviderOptions& options)
    : server_(threads, server_options(options), std::make_shared<MockHandler>(options)) {}

MockProvider::~MockProvider() = default;

}  // namespace llm_edge_cache::app
