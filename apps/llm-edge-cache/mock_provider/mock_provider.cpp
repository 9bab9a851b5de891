#include "mock_provider/mock_provider.hpp"

#include <atomic>
#include <cmath>
#include <utility>

#include "mock_provider/mock_chat.hpp"
#include "mock_provider/mock_delivery.hpp"
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

class MockHandler final : public http::Handler, public std::enable_shared_from_this<MockHandler> {
 public:
  explicit MockHandler(const MockProviderOptions& options) : options_(options) {}

  void handle(std::shared_ptr<http::Exchange> exchange) override {
    const auto& head = exchange->head();
    if (head.method == "GET" && head.path() == "/mock/requests") return send(exchange, counts());
    if (options_.require_auth && !is_authorized(head)) {
      return send(exchange, mock_error(401, "A bearer token is required."));
    }
    if (head.method == "GET" && head.path() == "/v1/models") return send(exchange, mock_models());
    if (head.method == "POST" && head.path() == "/v1/chat/completions") return chat(exchange);
    send(exchange, mock_error(404, "There is nothing of that method and path."));
  }

 private:
  static bool is_authorized(const http::RequestHead& head) {
    const auto value = head.headers.get("authorization");
    return value && value->starts_with("Bearer ") && value->size() > 7;
  }

  void chat(const std::shared_ptr<http::Exchange>& exchange) {
    exchange->read_body(kMaxBodyBytes, [self = shared_from_this(), exchange](auto body) {
      if (!body) return;  // the server has answered
      auto reply = mock_chat(*body);
      const auto sequence = self->requests_.fetch_add(1, std::memory_order_relaxed);
      const auto seeded = reply.digest ^ self->options_.seed;
      if (mock_fails(self->options_.error_rate, seeded, sequence)) {
        reply = (seeded ^ sequence) % 2 == 0
                    ? mock_error(429, "The simulated rate limit is reached.")
                    : mock_error(500, "A simulated failure.");
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
