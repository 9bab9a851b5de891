// A client on one I/O thread, and handlers that tests wait on.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "http/client.hpp"
#include "test_server.hpp"

namespace llm_edge_cache::http {

// How a request went.
struct Outcome {
  std::optional<ResponseHead> head;
  std::string body;
  std::optional<ResponseEnd> end;
  std::optional<ClientError> error;
};

// Collects an answer; hooks run on the client's thread.
class Collector final : public ResponseHandler {
 public:
  void on_connected() override { ++connections_; }
  void on_head(ResponseHead head) override {
    outcome_.head = std::move(head);
    if (head_hook) head_hook();
  }
  void on_data(std::string_view bytes) override {
    outcome_.body.append(bytes);
    received_ += bytes.size();
    if (data_hook) data_hook();
  }
  void on_batch_end() override {
    if (batch_hook) batch_hook();
  }
  void on_end(ResponseEnd end) override {
    outcome_.end = end;
    if (end_hook) end_hook();
    done_.set(outcome_);
  }
  void on_error(ClientError error) override {
    outcome_.error = std::move(error);
    done_.set(outcome_);
  }

  Outcome wait() { return done_.wait(); }
  [[nodiscard]] const Outcome& so_far() const { return outcome_; }
  [[nodiscard]] std::size_t received() const { return received_; }
  [[nodiscard]] int connections() const { return connections_; }  // new ones

  std::function<void()> head_hook;
  std::function<void()> data_hook;
  std::function<void()> batch_hook;
  std::function<void()> end_hook;

 private:
  Outcome outcome_;
  std::atomic<std::size_t> received_{0};
  std::atomic<int> connections_{0};
  Once<Outcome> done_;
};

inline Origin origin_at(std::uint16_t port, Scheme scheme = Scheme::kHttp) {
  return {.scheme = scheme, .host = "127.0.0.1", .port = port};
}

inline RequestHead request_head(std::string method, std::string target) {
  RequestHead head;
  head.method = std::move(method);
  head.target = std::move(target);
  return head;
}

class TestClient {
 public:
  explicit TestClient(ClientOptions options = {}) : client_(threads_, std::move(options)) {}

  // Starts a request and waits until it was started.
  std::shared_ptr<ClientCall> start(const Origin& origin, RequestHead head,
                                    std::optional<SharedBytes> body,
                                    std::shared_ptr<ResponseHandler> handler) {
    Once<std::shared_ptr<ClientCall>> started;
    run([&] {
      started.set(
          client_.request(thread(), origin, std::move(head), std::move(body), std::move(handler)));
    });
    return started.wait();
  }

  Outcome fetch(const Origin& origin, RequestHead head, std::string body = "") {
    const auto collector = std::make_shared<Collector>();
    start(origin, std::move(head), SharedBytes(std::move(body)), collector);
    return collector->wait();
  }
  Outcome get(std::uint16_t port, std::string target = "/") {
    return fetch(origin_at(port), request_head("GET", std::move(target)));
  }

  // Runs task on the client's thread and waits for it.
  void run(const std::function<void()>& task) {
    threads_.run_on_each([&](IoThread&) { task(); });
  }

  [[nodiscard]] IoThread& thread() { return threads_.at(0); }
  [[nodiscard]] Client& client() { return client_; }

 private:
  IoThreads threads_{{.threads = 1}};
  Client client_;
};

}  // namespace llm_edge_cache::http
