// A proxy in front of a scripted upstream, over real sockets, with real tiers in memory and a clock
// that the test moves.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "core/tiered_cache.hpp"
#include "proxy/proxy.hpp"
#include "scripted_upstream.hpp"
#include "tests/support/eventually.hpp"
#include "tests/unit/http/test_client.hpp"
#include "tests/unit/proxy/dialects/chat_fixtures.hpp"
#include "threaded_tier.hpp"
#include "tiers/memory/memory_tier.hpp"

namespace llm_edge_cache::proxy::test {

using llm_edge_cache::test::eventually;

inline constexpr std::string_view kQuestion =
    R"({"model":"m-1","messages":[{"role":"user","content":"Hi"}]})";
inline constexpr std::string_view kStreamQuestion =
    R"({"model":"m-1","messages":[{"role":"user","content":"Hi"}],"stream":true})";
inline constexpr std::string_view kUsageQuestion =
    R"({"model":"m-1","messages":[{"role":"user","content":"Hi"}],"stream":true,)"
    R"("stream_options":{"include_usage":true}})";

// How a request went, seen by the client.
struct Answer {
  http::Outcome outcome;

  [[nodiscard]] int status() const { return outcome.head ? outcome.head->status : 0; }
  [[nodiscard]] const std::string& body() const { return outcome.body; }
  [[nodiscard]] std::string header(std::string_view name) const {
    return outcome.head ? std::string(outcome.head->headers.get(name).value_or("")) : "";
  }
  [[nodiscard]] std::string cache_status() const { return header("cache-status"); }
  [[nodiscard]] bool is_whole() const { return outcome.end.has_value() && outcome.end->framed; }
  [[nodiscard]] bool is_hit() const { return cache_status().starts_with("llm-edge-cache; hit;"); }
};

// A request that the client has sent.
class PendingAnswer {
 public:
  PendingAnswer(http::TestClient& client, std::shared_ptr<http::ClientCall> call,
                std::shared_ptr<http::Collector> collector)
      : client_(&client), call_(std::move(call)), collector_(std::move(collector)) {}

  Answer wait() { return {collector_->wait()}; }
  // True once so many bytes of the body are here.
  [[nodiscard]] bool eventually_received(std::size_t bytes) const {
    return eventually([&] { return collector_->received() >= bytes; });
  }
  void hang_up() {
    client_->run([this] { call_->cancel(); });
  }
  void stop_reading() {
    client_->run([this] { call_->pause(); });
  }
  void read_on() {
    client_->run([this] { call_->resume(); });
  }

 private:
  http::TestClient* client_;
  std::shared_ptr<http::ClientCall> call_;
  std::shared_ptr<http::Collector> collector_;
};

struct ProxyTestOptions {
  ProxyOptions proxy;  // upstream_url: the scripted upstream, where it is empty
  bool has_l2 = false;
  Fleet* fleet = nullptr;  // of L2; outlives the test's proxy
};

// Nobody joins a call for longer than four seconds.
inline ProxyTestOptions impatient() {
  ProxyTestOptions options;
  options.proxy.client.first_byte_timeout_ms = 2'000;
  options.proxy.client.idle_read_timeout_ms = 2'000;
  return options;
}

class ProxyTest : public ::testing::Test {
 protected:
  explicit ProxyTest(ProxyTestOptions options = {}) {
    auto l1 = std::make_unique<MemoryTier>(L1Config{.ttl_ms = 0, .tti_ms = 0}, clock_);
    auto l2 = options.has_l2 ? std::make_unique<ThreadedTier>(clock_, options.fleet) : nullptr;
    l1_ = l1.get();
    l2_ = l2.get();
    cache_ = std::make_unique<TieredCache>(std::move(l1), std::move(l2), clock_);
    if (options.proxy.upstream_url.empty()) {
      options.proxy.upstream_url = upstream_.url();
    }
    options.proxy.scope_secret = "secret";
    proxy_ = std::make_shared<Proxy>(threads_, *cache_, clock_, options.proxy);
    http::ServerOptions server_options;
    server_options.format_error = proxy_->error_formatter();
    server_ = std::make_unique<http::Server>(threads_, http::on_free_port(server_options), proxy_);
  }

  ~ProxyTest() override {
    server_->stop();
    proxy_->stop();
  }

  PendingAnswer start(http::RequestHead head, std::string body) {
    auto collector = std::make_shared<http::Collector>();
    auto call = client_.start(http::origin_at(server_->port()), std::move(head),
                              http::SharedBytes(std::move(body)), collector);
    return {client_, std::move(call), std::move(collector)};
  }
  PendingAnswer start_chat(std::string_view body, const http::Headers& headers = {}) {
    auto head = http::request_head("POST", "/v1/chat/completions");
    head.headers = headers;
    head.headers.add("Content-Type", "application/json");
    return start(std::move(head), std::string(body));
  }
  Answer ask(std::string_view body, const http::Headers& headers = {}) {
    return settled([&] { return start_chat(body, headers).wait(); });
  }
  Answer request(std::string method, std::string target, std::string body = "") {
    return settled([&] {
      return start(http::request_head(std::move(method), std::move(target)), std::move(body))
          .wait();
    });
  }
  // The client has its last byte before the flight has stored and counted: this waits for both.
  template <typename Call>
  Answer settled(Call&& call) {
    const auto open_before = metrics().flights_active;
    auto answer = call();
    EXPECT_TRUE(eventually([&] { return metrics().flights_active <= open_before; }));
    return answer;
  }

  void answer_json(std::string_view body = kHelloBody) {
    upstream_.answer_with([text = std::string(body)](const UpstreamExchange& exchange) {
      exchange.respond_json(text);
    });
  }
  void answer_stream(std::string events) {
    upstream_.answer_with([text = std::move(events)](const UpstreamExchange& exchange) {
      exchange.respond_stream(text);
    });
  }

  [[nodiscard]] ProxyMetricsSnapshot metrics() const { return proxy_->metrics().snapshot(); }
  [[nodiscard]] std::uint64_t requests(LookupOutcome outcome) const {
    return metrics().requests[static_cast<std::size_t>(outcome)];
  }
  [[nodiscard]] std::uint64_t refusals(StoreRefusal refusal) const {
    return metrics().store_refusals[static_cast<std::size_t>(refusal)];
  }

  const std::shared_ptr<ManualClock> clock_ = std::make_shared<ManualClock>();
  ScriptedUpstream upstream_;
  http::IoThreads threads_{{.threads = 2}};
  std::unique_ptr<TieredCache> cache_;
  MemoryTier* l1_ = nullptr;    // cache_ owns both
  ThreadedTier* l2_ = nullptr;  // null without has_l2
  std::shared_ptr<Proxy> proxy_;
  std::unique_ptr<http::Server> server_;
  http::TestClient client_;
};

}  // namespace llm_edge_cache::proxy::test
