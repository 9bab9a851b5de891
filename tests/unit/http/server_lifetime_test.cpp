#include "http/server.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <string>
#include <vector>

#include "raw_client.hpp"
#include "test_server.hpp"
#include "tests/support/eventually.hpp"

namespace llm_edge_cache::http::server_lifetime_test {
namespace {

using test::eventually;
using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(ServerLifetimeTest, slow_head_is_408_and_an_idle_connection_is_closed) {
  ServerOptions options;
  options.header_timeout_ms = 50;
  options.idle_timeout_ms = 50;
  TestServer server(echo, options);
  RawClient slow(server.port());
  slow.send("GET / HTTP/1.1\r\nHos");
  EXPECT_THAT(slow.read_all(), StartsWith("HTTP/1.1 408 "));
  RawClient idle(server.port());
  EXPECT_EQ(idle.read_all(), "");
}

TEST(ServerLifetimeTest, client_that_leaves_is_noticed_while_an_answer_streams) {
  for (const bool with_reset : {false, true}) {
    Once<ExchangePtr> held;
    Once<bool> disconnected;
    TestServer server([&](const ExchangePtr& exchange) {
      exchange->on_disconnect([&] { disconnected.set(true); });
      exchange->start({});
      held.set(exchange);
    });
    RawClient client(server.port());
    client.send(get("/"));
    const ExchangePtr exchange = held.wait();
    with_reset ? client.reset() : client.close();
    EXPECT_TRUE(disconnected.wait());
    Once<WriteResult> written;
    exchange->post([&] {
      WriteResult result = WriteResult::kSent;
      const std::string piece(100'000, 'p');
      while (result == WriteResult::kSent) result = exchange->write(std::string_view(piece));
      written.set(result);
    });
    EXPECT_NE(written.wait(), WriteResult::kSent);
    EXPECT_TRUE(eventually([&] { return server.server().connection_count() == 0; }));
  }
}

TEST(ServerLifetimeTest, client_that_closed_its_side_is_not_told_that_it_was_let_go_of) {
  Once<ExchangePtr> held;
  Once<bool> disconnected;
  TestServer server([&](ExchangePtr exchange) {
    exchange->on_disconnect([&] { disconnected.set(true); });
    held.set(std::move(exchange));
  });
  RawClient client(server.port());
  client.send(get("/"));
  client.shutdown_send();
  ExchangePtr exchange = held.wait();
  EXPECT_TRUE(disconnected.wait());
  exchange.reset();
  EXPECT_EQ(client.read_all(), "");
}

TEST(ServerLifetimeTest, client_that_closes_only_its_side_gets_its_answer) {
  Once<ExchangePtr> held;
  Once<bool> disconnected;
  TestServer server([&](ExchangePtr exchange) {
    exchange->on_disconnect([&] { disconnected.set(true); });
    held.set(std::move(exchange));
  });
  RawClient client(server.port());
  client.send(get("/"));
  client.shutdown_send();
  const ExchangePtr exchange = held.wait();
  EXPECT_TRUE(disconnected.wait());
  exchange->post([exchange] { respond_text(*exchange, "still"); });
  EXPECT_THAT(client.read_all(), EndsWith("still"));
}

TEST(ServerLifetimeTest, client_that_leaves_within_its_body_is_told_to_the_sink) {
  Once<ErrorCode> told;
  Once<bool> handled;
  TestServer server([&](const ExchangePtr& exchange) {
    exchange->read_body(100, [&, exchange](const Result<std::string>& body) {
      told.set(body.ok() ? ErrorCode::kInternal : body.error().code);
    });
    handled.set(true);
  });
  RawClient client(server.port());
  client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nhal");
  ASSERT_TRUE(handled.wait());
  client.close();
  EXPECT_EQ(told.wait(), ErrorCode::kUnavailable);
}

// It lies in the kernel when its thread, which was busy, comes to drain.
TEST(ServerLifetimeTest, request_that_nobody_has_read_when_the_server_drains_is_answered) {
  TestServer server([](const ExchangePtr& exchange) {
    respond_text(*exchange, std::to_string(IoThread::current()->index()));
  });
  RawClient first(server.port());
  RawClient second(server.port());
  first.send(get("/"));
  second.send(get("/"));
  const bool is_first = first.read_response().ends_with("1");
  EXPECT_TRUE(is_first || second.read_response().ends_with("1")) << "connections are dealt";
  RawClient& client = is_first ? first : second;

  Once<bool> is_busy;
  std::promise<void> go_on;
  server.threads().at(1).post([&] {
    is_busy.set(true);
    go_on.get_future().wait();
  });
  ASSERT_TRUE(is_busy.wait());
  Once<bool> is_asked_to_drain;
  server.server().drain([] {});
  server.threads().at(0).post([&] { is_asked_to_drain.set(true); });
  ASSERT_TRUE(is_asked_to_drain.wait());
  client.send(get("/"));
  go_on.set_value();
  EXPECT_THAT(client.read_all(), AllOf(HasSubstr("Connection: close"), EndsWith("1")));
}

// It writes all of its body before it reads.
TEST(ServerLifetimeTest, client_that_is_refused_early_can_send_its_large_body_and_read_why) {
  TestServer server([](const ExchangePtr& exchange) {
    ResponseHead head;
    head.status = 429;
    exchange->respond(head, SharedBytes(std::string("slower")));
  });
  RawClient client(server.port());
  client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 8388608\r\n\r\n");
  client.send(std::string(8U << 20U, 'x'));
  EXPECT_THAT(client.read_all(), AllOf(StartsWith("HTTP/1.1 429 "), EndsWith("slower")));
}

TEST(ServerLifetimeTest, connections_over_the_limit_get_503) {
  ServerOptions options;
  options.max_connections = 2;
  TestServer server(echo, options);
  RawClient first(server.port());
  RawClient second(server.port());
  second.send(get("/"));
  second.read_response();
  RawClient third(server.port());
  third.send(get("/"));
  EXPECT_THAT(third.read_all(), AllOf(StartsWith("HTTP/1.1 503 "), HasSubstr("Connection: close")));
  third.close();
  first.close();
  ASSERT_TRUE(eventually([&] { return server.server().connection_count() < 2; }));
  RawClient fourth(server.port());
  fourth.send(get("/"));
  EXPECT_THAT(fourth.read_response(), StartsWith("HTTP/1.1 200 "));
}

TEST(ServerLifetimeTest, drain_lets_answers_end_and_closes_what_is_idle) {
  Once<ExchangePtr> held;
  TestServer server([&](ExchangePtr exchange) {
    exchange->start({});
    held.set(std::move(exchange));
  });
  RawClient idle(server.port());
  RawClient busy(server.port());
  busy.send(get("/"));
  const ExchangePtr exchange = held.wait();
  Once<bool> drained;
  server.server().drain([&] { drained.set(true); });
  EXPECT_EQ(idle.read_all(), "");
  EXPECT_THROW(RawClient late(server.port()), std::system_error);
  exchange->post([exchange] {
    exchange->write("the end");
    exchange->finish();
  });
  EXPECT_THAT(busy.read_all(), EndsWith("7\r\nthe end\r\n0\r\n\r\n"));
  EXPECT_TRUE(drained.wait());
}

TEST(ServerLifetimeTest, drain_announces_the_close) {
  Once<ExchangePtr> held;
  TestServer server([&](ExchangePtr exchange) { held.set(std::move(exchange)); });
  // One on each thread: when both are closed, every thread drains.
  RawClient first_idle(server.port());
  RawClient second_idle(server.port());
  RawClient client(server.port());
  client.send(get("/"));
  const ExchangePtr exchange = held.wait();
  Once<bool> drained;
  server.server().drain([&] { drained.set(true); });
  EXPECT_EQ(first_idle.read_all(), "");
  EXPECT_EQ(second_idle.read_all(), "");
  exchange->post([exchange] { respond_text(*exchange, "last"); });
  EXPECT_THAT(client.read_all(), AllOf(HasSubstr("Connection: close\r\n"), EndsWith("last")));
  EXPECT_TRUE(drained.wait());
}

// One of the two is on its way to the thread that stands still, and lost when it gets there.
TEST(ServerLifetimeTest, drain_ends_with_a_connection_that_was_lost_before_a_thread_had_it) {
  TestServer server(echo);
  std::promise<void> go_on;
  server.threads().at(1).post([gone = go_on.get_future().share()] { gone.wait(); });
  RawClient one(server.port());
  RawClient other(server.port());
  ASSERT_TRUE(eventually([&] { return server.server().connection_count() == 2; }));
  one.reset();
  other.reset();
  Once<bool> drained;
  server.server().drain([&] { drained.set(true); });
  server.threads().at(0).post([&] { go_on.set_value(); });  // after the drain has begun
  EXPECT_TRUE(drained.wait());
  Once<bool> drained_again;
  server.server().drain([&] { drained_again.set(true); });
  EXPECT_TRUE(drained_again.wait());
}

TEST(ServerLifetimeTest, drain_cuts_what_does_not_end_in_time) {
  ServerOptions options;
  options.drain_timeout_ms = 50;
  Once<ExchangePtr> held;
  Once<bool> disconnected;
  TestServer server(
      [&](ExchangePtr exchange) {
        exchange->on_disconnect([&] { disconnected.set(true); });
        held.set(std::move(exchange));
      },
      options);
  RawClient client(server.port());
  client.send(get("/"));
  const ExchangePtr exchange = held.wait();
  Once<bool> drained;
  server.server().drain([&] { drained.set(true); });
  EXPECT_TRUE(drained.wait());
  EXPECT_TRUE(disconnected.wait());
}

TEST(ServerLifetimeTest, stop_cuts_connections_and_later_calls_do_nothing) {
  Once<ExchangePtr> held;
  TestServer server([&](ExchangePtr exchange) { held.set(std::move(exchange)); });
  RawClient client(server.port());
  client.send(get("/"));
  const ExchangePtr exchange = held.wait();
  server.server().stop();
  client.read_all();
  EXPECT_TRUE(client.was_reset());
  Once<bool> ended;
  exchange->post([&] {
    respond_text(*exchange, "too late");
    ended.set(exchange->ended());
  });
  EXPECT_TRUE(ended.wait());
}

TEST(ServerLifetimeTest, bad_options_and_addresses_are_refused_with_their_name) {
  IoThreads threads({.threads = 1});
  const auto handler = std::make_shared<FunctionHandler>(echo);
  ServerOptions options;
  options.idle_timeout_ms = 0;
  EXPECT_THAT(options.validate().error().message, HasSubstr("idle_timeout_ms"));
  EXPECT_THROW(Server(threads, options, handler), std::invalid_argument);
  EXPECT_THROW(Server(threads, {.listen = "nonsense"}, handler), std::invalid_argument);

  Server first(threads, on_free_port(), handler);
  EXPECT_THROW(Server(threads, {.listen = "127.0.0.1:" + std::to_string(first.port())}, handler),
               std::system_error);
}

}  // namespace
}  // namespace llm_edge_cache::http::server_lifetime_test
