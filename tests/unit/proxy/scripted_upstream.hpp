// A real provider, as far as HTTP goes, that answers what the test tells it to, when it tells it
// to.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <utility>

#include "tests/support/eventually.hpp"
#include "tests/unit/http/test_server.hpp"

namespace llm_edge_cache::proxy::test {

// One request that reached the upstream. From any thread.
class UpstreamExchange {
 public:
  UpstreamExchange(std::shared_ptr<http::Exchange> exchange, std::string body)
      : exchange_(std::move(exchange)), body_(std::move(body)) {}

  [[nodiscard]] const http::RequestHead& head() const { return exchange_->head(); }
  [[nodiscard]] const std::string& body() const { return body_; }

  void start(const http::Headers& headers, std::uint16_t status = 200) const {
    http::ResponseHead head;
    head.status = status;
    head.headers = headers;
    exchange_->post([exchange = exchange_, head] { exchange->start(head); });
  }
  void write(std::string bytes) const {
    exchange_->post([exchange = exchange_, bytes = http::SharedBytes(std::move(bytes))] {
      exchange->write(bytes);
    });
  }
  void finish() const {
    exchange_->post([exchange = exchange_] { exchange->finish(); });
  }
  void abort() const {
    exchange_->post([exchange = exchange_] { exchange->abort(); });
  }
  void respond(std::string body, const http::Headers& headers, std::uint16_t status = 200) const {
    http::ResponseHead head;
    head.status = status;
    head.headers = headers;
    exchange_->post([exchange = exchange_, head, bytes = http::SharedBytes(std::move(body))] {
      exchange->respond(head, bytes);
    });
  }
  void respond_json(std::string body, std::uint16_t status = 200) const {
    respond(std::move(body), {{"Content-Type", "application/json"}}, status);
  }
  void start_stream() const { start({{"Content-Type", "text/event-stream"}}); }
  void respond_stream(std::string events) const {
    start_stream();
    write(std::move(events));
    finish();
  }

  // Writes on until the connection proves lost: a peer that has closed looks like one that has
  // only finished sending.
  [[nodiscard]] bool eventually_lost() const {
    return llm_edge_cache::test::eventually([this] {
      const auto ended = std::make_shared<http::Once<bool>>();
      exchange_->post([exchange = exchange_, ended] {
        exchange->start({});
        exchange->write("more");
        ended->set(exchange->ended());
      });
      return ended->wait();
    });
  }

 private:
  std::shared_ptr<http::Exchange> exchange_;
  std::string body_;
};

class ScriptedUpstream {
 public:
  using Script = std::function<void(const UpstreamExchange&)>;

  // An exchange must not outlive the threads of its server.
  ~ScriptedUpstream() {
    server_.server().stop();
    waiting_.clear();
  }

  [[nodiscard]] std::string url() const {
    return "http://127.0.0.1:" + std::to_string(server_.port());
  }

  // Every request from now on is answered so at once; an empty script: it waits for next().
  void answer_with(Script script) {
    const std::lock_guard lock(mutex_);
    script_ = std::move(script);
  }
  // The next request that waits, once there is one.
  UpstreamExchange next() {
    std::unique_lock lock(mutex_);
    if (!arrived_.wait_for(lock, llm_edge_cache::test::kEventually,
                           [this] { return !waiting_.empty(); })) {
      throw std::runtime_error("no request reached the upstream");
    }
    auto exchange = std::move(waiting_.front());
    waiting_.pop_front();
    return exchange;
  }
  // Requests that arrived, answered or not.
  [[nodiscard]] int calls() const {
    const std::lock_guard lock(mutex_);
    return calls_;
  }

 private:
  void on_request(const std::shared_ptr<http::Exchange>& exchange) {
    exchange->read_body(64U << 20U, [this, exchange](Result<std::string> body) {
      if (body.ok()) {
        arrive(UpstreamExchange(exchange, std::move(*body)));
      }
    });
  }
  void arrive(UpstreamExchange exchange) {
    Script script;
    {
      const std::lock_guard lock(mutex_);
      ++calls_;
      script = script_;
      if (!script) {
        waiting_.push_back(std::move(exchange));
        arrived_.notify_all();
        return;
      }
    }
    script(exchange);
  }

  mutable std::mutex mutex_;
  std::condition_variable arrived_;
  Script script_;
  std::deque<UpstreamExchange> waiting_;
  int calls_ = 0;
  http::TestServer server_{
      [this](std::shared_ptr<http::Exchange> exchange) { on_request(exchange); }};
};

}  // namespace llm_edge_cache::proxy::test
