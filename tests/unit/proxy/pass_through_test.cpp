#include <gtest/gtest.h>

#include <string>

#include "proxy_fixture.hpp"

namespace llm_edge_cache::proxy::test {
namespace {

class PassThroughTest : public ProxyTest {};

TEST_F(PassThroughTest, every_method_and_target_goes_up_and_its_answer_comes_down) {
  upstream_.answer_with([](const UpstreamExchange& exchange) {
    exchange.respond(exchange.head().method + " " + exchange.head().target + " " + exchange.body(),
                     {{"Content-Type", "text/plain"}, {"x-request-id", "r"}}, 201);
  });
  for (const auto* method : {"GET", "DELETE", "OPTIONS", "PATCH", "PUT", "POST"}) {
    const auto answer = request(method, "/v1/files/a%2Fb?limit=2", "body");
    EXPECT_EQ(answer.status(), 201);
    EXPECT_EQ(answer.body(), std::string(method) + " /v1/files/a%2Fb?limit=2 body");
    EXPECT_EQ(answer.header("x-request-id"), "r");
    EXPECT_EQ(answer.cache_status(), "llm-edge-cache; fwd=bypass; fwd-status=201");
  }
  EXPECT_EQ(upstream_.calls(), 6);
}

TEST_F(PassThroughTest, nothing_of_it_is_cached) {
  answer_json();
  request("POST", "/v1/audio/speech", "x");
  request("POST", "/v1/audio/speech", "x");
  request("GET", "/v1/chat/completions");
  EXPECT_EQ(upstream_.calls(), 3);
  EXPECT_EQ(requests(LookupOutcome::kBypass), 3U);
}

TEST_F(PassThroughTest, a_head_request_gets_a_head) {
  upstream_.answer_with([](const UpstreamExchange& exchange) {
    exchange.respond("twelve bytes", {{"Content-Type", "text/plain"}});
  });
  const auto answer = request("HEAD", "/v1/models");
  EXPECT_EQ(answer.status(), 200);
  EXPECT_EQ(answer.header("content-length"), "12");
  EXPECT_EQ(answer.body(), "");
  EXPECT_TRUE(answer.is_whole());
}

TEST_F(PassThroughTest, answers_without_a_body_stay_so) {
  upstream_.answer_with(
      [](const UpstreamExchange& exchange) { exchange.respond("", {{"x-a", "b"}}, 204); });
  const auto answer = request("DELETE", "/v1/files/1");
  EXPECT_EQ(answer.status(), 204);
  EXPECT_EQ(answer.header("x-a"), "b");
  EXPECT_TRUE(answer.is_whole());
}

TEST_F(PassThroughTest, credentials_and_cache_control_go_up_our_own_fields_do_not) {
  auto head = http::request_head("GET", "/v1/models");
  head.headers = {{"Authorization", "Bearer a"},
                  {"Cache-Control", "no-cache"},
                  {"Accept-Encoding", "gzip"},
                  {"x-llm-cache-namespace", "n"}};
  auto pending = start(std::move(head), "");
  const auto call = upstream_.next();
  EXPECT_EQ(call.head().headers.get("authorization"), "Bearer a");
  EXPECT_EQ(call.head().headers.get("cache-control"), "no-cache");
  EXPECT_EQ(call.head().headers.get("accept-encoding"), "gzip");
  EXPECT_FALSE(call.head().headers.contains("x-llm-cache-namespace"));
  call.respond("x", {});
  pending.wait();
}

TEST_F(PassThroughTest, an_answer_passes_as_it_comes) {
  auto pending = start(http::request_head("GET", "/v1/events"), "");
  const auto call = upstream_.next();
  call.start({{"Content-Type", "text/plain"}});
  call.write("one");
  EXPECT_TRUE(pending.eventually_received(3));
  call.write("two");
  call.finish();
  EXPECT_EQ(pending.wait().body(), "onetwo");
}

TEST_F(PassThroughTest, a_body_of_unknown_length_passes_as_it_comes) {
  auto collector = std::make_shared<http::Collector>();
  const auto call = client_.start(http::origin_at(server_->port()),
                                  http::request_head("POST", "/v1/files"), std::nullopt, collector);
  upstream_.answer_with([](const UpstreamExchange& exchange) {
    exchange.respond(exchange.body(), {{"Content-Type", "text/plain"}});
  });
  client_.run([&] {
    call->write("one");
    call->write("two");
    call->finish();
  });
  EXPECT_EQ(collector->wait().body, "onetwo");
}

TEST_F(PassThroughTest, large_bodies_pass_both_ways) {
  upstream_.answer_with([](const UpstreamExchange& exchange) {
    exchange.respond(exchange.body(), {{"Content-Type", "application/octet-stream"}});
  });
  std::string body(20U << 20U, 'x');
  for (std::size_t i = 0; i < body.size(); i += 1'000) body[i] = static_cast<char>('a' + i % 26);
  const auto answer = request("POST", "/v1/files", body);
  EXPECT_EQ(answer.status(), 200) << answer.body().substr(0, 500);
  EXPECT_EQ(answer.body().size(), body.size());
  EXPECT_TRUE(answer.body() == body);
}

TEST_F(PassThroughTest, a_client_that_hangs_up_ends_the_call) {
  auto pending = start(http::request_head("GET", "/v1/events"), "");
  const auto call = upstream_.next();
  call.start({{"Content-Type", "text/plain"}});
  call.write("one");
  ASSERT_TRUE(pending.eventually_received(3));
  pending.hang_up();
  EXPECT_TRUE(call.eventually_lost());
}

TEST_F(PassThroughTest, an_answer_that_breaks_off_is_cut) {
  auto pending = start(http::request_head("GET", "/v1/events"), "");
  const auto call = upstream_.next();
  call.start({{"Content-Type", "text/plain"}});
  call.write("one");
  ASSERT_TRUE(pending.eventually_received(3));
  call.abort();
  const auto answer = pending.wait();
  EXPECT_TRUE(answer.outcome.error.has_value());
}

TEST_F(PassThroughTest, an_answer_that_falls_short_of_its_length_is_cut) {
  upstream_.answer_with([](const UpstreamExchange& exchange) {
    exchange.start({{"Content-Type", "text/plain"}, {"Content-Length", "100"}});
    exchange.write("one");
    exchange.abort();
  });
  EXPECT_TRUE(request("GET", "/v1/events").outcome.error.has_value());
}

class BasePathTest : public ProxyTest {};

TEST_F(BasePathTest, a_base_path_goes_before_the_target) {
  ProxyOptions options;
  options.upstream_url = upstream_.url() + "/gateway";
  const auto proxy = std::make_shared<Proxy>(threads_, *cache_, clock_, options);
  http::Server server(threads_, http::on_free_port(), proxy);
  auto collector = std::make_shared<http::Collector>();
  client_.start(http::origin_at(server.port()), http::request_head("GET", "/v1/models?x=1"),
                http::SharedBytes(), collector);
  const auto call = upstream_.next();
  EXPECT_EQ(call.head().target, "/gateway/v1/models?x=1");
  call.respond("x", {});
  collector->wait();
  server.stop();
  proxy->stop();
}

}  // namespace
}  // namespace llm_edge_cache::proxy::test
