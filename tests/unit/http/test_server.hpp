// A server whose handler is a function, and what tests need around it.
#pragma once

#include <atomic>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "http/server.hpp"

namespace llm_edge_cache::http {

using ExchangePtr = std::shared_ptr<Exchange>;

class FunctionHandler final : public Handler {
 public:
  explicit FunctionHandler(std::function<void(ExchangePtr)> function)
      : function_(std::move(function)) {}
  void handle(ExchangePtr exchange) override { function_(std::move(exchange)); }

 private:
  std::function<void(ExchangePtr)> function_;
};

inline ServerOptions on_free_port(ServerOptions options = {}) {
  options.listen = "127.0.0.1:0";
  return options;
}

// Two threads, so that connections are dealt.
class TestServer {
 public:
  explicit TestServer(std::function<void(ExchangePtr)> function, ServerOptions options = {},
                      IoThreadsOptions threads = {.threads = 2})
      : threads_(threads),
        server_(threads_, on_free_port(std::move(options)),
                std::make_shared<FunctionHandler>(std::move(function))) {}

  [[nodiscard]] std::uint16_t port() const { return server_.port(); }
  [[nodiscard]] Server& server() { return server_; }
  [[nodiscard]] IoThreads& threads() { return threads_; }

 private:
  IoThreads threads_;
  Server server_;
};

inline void respond_text(Exchange& exchange, std::string text) {
  ResponseHead head;
  head.headers.add("Content-Type", "text/plain");
  exchange.respond(head, SharedBytes(std::move(text)));
}

// Answers with method, target and the whole body.
inline void echo(const ExchangePtr& exchange) {
  exchange->read_body(1 << 20, [exchange](Result<std::string> body) {
    if (!body.ok()) return;
    respond_text(*exchange, exchange->head().method + " " + exchange->head().target + " " + *body);
  });
}

inline std::string get(std::string_view target, std::string_view fields = "") {
  return "GET " + std::string(target) + " HTTP/1.1\r\nHost: h\r\n" + std::string(fields) + "\r\n";
}

inline std::string post(std::string_view target, std::string_view body,
                        std::string_view fields = "") {
  return "POST " + std::string(target) + " HTTP/1.1\r\nHost: h\r\n" + std::string(fields) +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

// What one thread hands to another, once.
template <class T>
class Once {
 public:
  void set(T value) { promise_.set_value(std::move(value)); }
  // Throws std::runtime_error when nothing came in 20 s.
  T wait() {
    if (future_.wait_for(std::chrono::seconds(20)) != std::future_status::ready) {
      throw std::runtime_error("nothing came");
    }
    return future_.get();
  }

 private:
  std::promise<T> promise_;
  std::future<T> future_ = promise_.get_future();
};

}  // namespace llm_edge_cache::http
