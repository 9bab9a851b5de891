#include "http/client.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <future>
#include <string>
#include <vector>

#include "http/url.hpp"
#include "test_client.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/free_port.hpp"
#include "tests/support/raw_server.hpp"
#include "tests/support/scripted_server.hpp"

namespace llm_edge_cache::http {
namespace {

using test::eventually;
using test::http_answer;
using test::RawPeer;
using test::RawServer;
using test::ScriptedServer;
using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

// Answers the same to every read.
ScriptedServer::Script always(std::string answer, bool close = false) {
  return [answer = std::move(answer), close](std::string_view) {
    return ScriptedServer::Action{answer, close};
  };
}

TEST(ClientTest, requests_share_a_kept_connection) {
  TestServer server(echo);
  TestClient client;
  for (int i = 0; i < 3; ++i) {
    const Outcome outcome =
        client.fetch(origin_at(server.port()), request_head("POST", "/p"), std::to_string(i));
    ASSERT_TRUE(outcome.end);
    EXPECT_TRUE(outcome.end->framed);
    EXPECT_EQ(outcome.head->status, 200);
    EXPECT_EQ(outcome.body, "POST /p " + std::to_string(i));
    EXPECT_EQ(client.client().idle_connections(), 1U);
  }
  EXPECT_EQ(server.server().connection_count(), 1U);
}

TEST(ClientTest, handler_hears_of_a_new_connection_and_not_of_a_kept_one) {
  TestServer server(echo);
  TestClient client;
  for (const int connections : {1, 0}) {
    const auto collector = std::make_shared<Collector>();
    client.start(origin_at(server.port()), request_head("GET", "/"), SharedBytes(), collector);
    EXPECT_TRUE(collector->wait().end);
    EXPECT_EQ(collector->connections(), connections);
  }
}

TEST(ClientTest, concurrent_requests_have_connections_of_their_own) {
  std::vector<ExchangePtr> held;
  TestServer server([&](ExchangePtr exchange) { echo(exchange); });
  TestClient client;
  std::vector<std::shared_ptr<Collector>> collectors;
  for (int i = 0; i < 20; ++i) {
    collectors.push_back(std::make_shared<Collector>());
    client.start(origin_at(server.port()), request_head("GET", "/" + std::to_string(i)),
                 SharedBytes(), collectors.back());
  }
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(collectors[static_cast<std::size_t>(i)]->wait().body,
              "GET /" + std::to_string(i) + " ");
  }
}

TEST(ClientTest, request_is_sent_as_it_should_be) {
  Once<std::string> seen;
  ScriptedServer server([&](std::string_view bytes) {
    seen.set(std::string(bytes));
    return ScriptedServer::Action{"HTTP/1.1 204 No Content\r\n\r\n"};
  });
  TestClient client;
  RequestHead head = request_head("POST", "/v1?x=y");
  head.headers.add("Authorization", "Bearer k");
  head.headers.add("Connection", "keep-alive");
  head.headers.add("Transfer-Encoding", "chunked");
  head.headers.add("Expect", "100-continue");
  client.fetch(origin_at(server.port()), head, "{}");
  EXPECT_EQ(seen.wait(),
            "POST /v1?x=y HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(server.port()) +
                "\r\nAuthorization: Bearer k\r\nContent-Length: 2\r\n\r\n{}");
}

// The first request is answered, the second makes its connection close without a word.
auto silent_at_the_second(std::atomic<int>& reads) {
  return [&reads](std::string_view) {
    const bool answer = reads.fetch_add(1) != 1;
    return ScriptedServer::Action{answer ? "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok" : "",
                                  !answer};
  };
}

TEST(ClientTest, stale_connection_is_replaced_once) {
  std::atomic<int> reads{0};
  ScriptedServer server(silent_at_the_second(reads));
  TestClient client;
  ASSERT_TRUE(client.get(server.port()).end);
  const Outcome second = client.fetch(origin_at(server.port()), request_head("POST", "/"), "again");
  EXPECT_TRUE(second.end);
  EXPECT_EQ(second.body, "ok");
  EXPECT_EQ(server.connections(), 2U);
  EXPECT_EQ(reads, 3);
}

TEST(ClientTest, reused_connection_that_closes_later_may_have_acted_on_the_request) {
  std::atomic<int> reads{0};
  ScriptedServer server(silent_at_the_second(reads));
  TestClient client({.stale_within_ms = 0});
  ASSERT_TRUE(client.get(server.port()).end);
  const Outcome second = client.fetch(origin_at(server.port()), request_head("POST", "/"), "once");
  ASSERT_TRUE(second.error);
  EXPECT_EQ(second.error->at, FailedAt::kFirstByte);
  EXPECT_EQ(reads, 2);
}

TEST(ClientTest, fresh_connection_that_closes_is_an_error_and_not_retried) {
  ScriptedServer server(always("", true));
  TestClient client;
  const Outcome outcome = client.get(server.port());
  ASSERT_TRUE(outcome.error);
  EXPECT_EQ(outcome.error->at, FailedAt::kFirstByte);
  EXPECT_EQ(outcome.error->error.code, ErrorCode::kUnavailable);
  EXPECT_EQ(server.connections(), 1U);
}

TEST(ClientTest, refused_connection_names_the_server) {
  TestClient client;
  const std::uint16_t port = test::free_port();
  const Outcome outcome = client.get(port);
  ASSERT_TRUE(outcome.error);
  EXPECT_EQ(outcome.error->at, FailedAt::kConnect);
  EXPECT_EQ(outcome.error->error.code, ErrorCode::kUnavailable);
  EXPECT_THAT(outcome.error->error.message,
              AllOf(HasSubstr("127.0.0.1:" + std::to_string(port)), HasSubstr("refused")));
}

TEST(ClientTest, name_that_does_not_resolve_is_an_error) {
  TestClient client;
  const Outcome outcome =
      client.fetch({Scheme::kHttp, "no-such-host.invalid", 80}, request_head("GET", "/"));
  ASSERT_TRUE(outcome.error);
  EXPECT_EQ(outcome.error->at, FailedAt::kConnect);
  EXPECT_THAT(outcome.error->error.message, HasSubstr("no-such-host.invalid"));
}

TEST(ClientTest, localhost_is_resolved) {
  TestServer server(echo);
  TestClient client;
  EXPECT_TRUE(
      client.fetch({Scheme::kHttp, "localhost", server.port()}, request_head("GET", "/")).end);
}

struct BadAnswer {
  std::string name;
  std::string bytes;
  FailedAt at;
};
class BadAnswerTest : public ::testing::TestWithParam<BadAnswer> {};

TEST_P(BadAnswerTest, is_an_error_and_never_an_end) {
  ScriptedServer server(always(GetParam().bytes, true));
  TestClient client;
  const Outcome outcome = client.get(server.port());
  EXPECT_FALSE(outcome.end);
  ASSERT_TRUE(outcome.error);
  EXPECT_EQ(outcome.error->at, GetParam().at) << outcome.error->error.message;
}

INSTANTIATE_TEST_SUITE_P(
    Answers, BadAnswerTest,
    ::testing::Values(
        BadAnswer{"short_length", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort",
                  FailedAt::kBody},
        BadAnswer{"bad_chunk",
                  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\nzz\r\n",
                  FailedAt::kBody},
        BadAnswer{"no_last_chunk",
                  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n",
                  FailedAt::kBody},
        BadAnswer{"cut_head", "HTTP/1.1 200 OK\r\nConte", FailedAt::kHead},
        BadAnswer{"rubbish", "220 smtp ready\r\n", FailedAt::kHead},
        BadAnswer{
            "both_framings",
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok",
            FailedAt::kHead},
        BadAnswer{"endless_head", "HTTP/1.1 200 OK\r\nA: " + std::string(100'000, 'x'),
                  FailedAt::kHead},
        BadAnswer{"switching",
                  "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\n"
                  "Upgrade: websocket\r\n\r\n",
                  FailedAt::kHead},
        BadAnswer{"coding_with_a_tab",
                  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\t\r\n\r\n2\r\nok\r\n0\r\n\r\n",
                  FailedAt::kHead},
        BadAnswer{"only_continue", "HTTP/1.1 100 Continue\r\n\r\n", FailedAt::kHead}),
    [](const auto& given) { return given.param.name; });

TEST(ClientTest, informational_answers_are_skipped) {
  ScriptedServer server(
      always("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
             "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"));
  TestClient client;
  const Outcome outcome = client.get(server.port());
  EXPECT_TRUE(outcome.end);
  EXPECT_EQ(outcome.head->status, 200);
  EXPECT_EQ(outcome.body, "ok");
}

TEST(ClientTest, body_that_the_close_ends_is_marked_unframed) {
  ScriptedServer server(always("HTTP/1.1 200 OK\r\n\r\nmaybe whole", true));
  TestClient client;
  const Outcome outcome = client.get(server.port());
  ASSERT_TRUE(outcome.end);
  EXPECT_FALSE(outcome.end->framed);
  EXPECT_EQ(outcome.body, "maybe whole");
  EXPECT_EQ(client.client().idle_connections(), 0U);
}

TEST(ClientTest, answers_without_body_end_with_their_head) {
  TestClient client;
  for (const std::string_view status : {"204 No Content", "304 Not Modified"}) {
    ScriptedServer server(
        always("HTTP/1.1 " + std::string(status) + "\r\nContent-Length: 5\r\n\r\n"));
    const Outcome outcome = client.get(server.port());
    EXPECT_TRUE(outcome.end) << status;
    EXPECT_EQ(outcome.body, "");
  }
  ScriptedServer server(always("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"));
  EXPECT_TRUE(client.fetch(origin_at(server.port()), request_head("HEAD", "/")).end);
  EXPECT_TRUE(client.fetch(origin_at(server.port()), request_head("HEAD", "/")).end);
  EXPECT_EQ(server.connections(), 1U);
}

TEST(ClientTest, connection_with_bytes_nobody_asked_for_is_not_used_again) {
  ScriptedServer server(
      always("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n"
             "Content-Length: 6\r\n\r\npoison"));
  TestClient client;
  for (int i = 0; i < 3; ++i) EXPECT_EQ(client.get(server.port()).body, "ok");
  EXPECT_EQ(server.connections(), 3U);
}

TEST(ClientTest, connection_with_bytes_that_nobody_has_read_is_not_used_again) {
  std::promise<void> may_send;
  std::promise<void> has_sent;
  std::atomic<bool> is_first{true};
  RawServer server([&](RawPeer& peer) {
    (void)peer.read_request();
    peer.send(http_answer("ok"));
    if (!is_first.exchange(false)) return;
    may_send.get_future().wait();
    peer.send(http_answer("poison"));
    has_sent.set_value();
    peer.read_to_end();
  });
  const auto origin = parse_url(server.url())->origin;
  TestClient client;
  EXPECT_EQ(client.fetch(origin, request_head("GET", "/")).body, "ok");
  const auto collector = std::make_shared<Collector>();
  client.run([&] {  // the event loop sees nothing meanwhile
    may_send.set_value();
    has_sent.get_future().wait();
    client.client().request(client.thread(), origin, request_head("GET", "/"), SharedBytes(),
                            collector);
  });
  EXPECT_EQ(collector->wait().body, "ok");
  EXPECT_EQ(server.connections(), 2U);
}

TEST(ClientTest, idle_connection_that_the_server_closes_leaves_the_pool) {
  TestClient client;
  {
    TestServer server(echo);
    ASSERT_TRUE(client.get(server.port()).end);
    EXPECT_EQ(client.client().idle_connections(), 1U);
  }
  EXPECT_TRUE(eventually([&] { return client.client().idle_connections() == 0; }));
}

TEST(ClientTest, idle_connection_leaves_the_pool_in_time) {
  TestClient client({.pool_idle_timeout_ms = 20});
  TestServer server(echo);
  ASSERT_TRUE(client.get(server.port()).end);
  EXPECT_TRUE(eventually([&] { return server.server().connection_count() == 0; }));
  EXPECT_EQ(client.client().idle_connections(), 0U);
}

TEST(ClientTest, pool_keeps_no_more_than_its_bound) {
  TestServer server(echo);
  TestClient client({.max_idle_per_origin = 1});
  std::vector<std::shared_ptr<Collector>> collectors(5);
  client.run([&] {
    for (auto& collector : collectors) {
      collector = std::make_shared<Collector>();
      client.client().request(client.thread(), origin_at(server.port()), request_head("GET", "/"),
                              SharedBytes(), collector);
    }
  });
  for (auto& collector : collectors) EXPECT_TRUE(collector->wait().end);
  EXPECT_EQ(client.client().idle_connections(), 1U);
}

TEST(ClientTest, connections_over_the_bound_are_refused) {
  test::StallingServer server;
  TestClient client({.max_connections_per_origin = 1});
  client.start(origin_at(server.port()), request_head("GET", "/"), SharedBytes(),
               std::make_shared<Collector>());
  const Outcome outcome = client.get(server.port());
  ASSERT_TRUE(outcome.error);
  EXPECT_EQ(outcome.error->error.code, ErrorCode::kOverloaded);
  EXPECT_EQ(outcome.error->at, FailedAt::kConnect);
}

TEST(ClientTest, deadlines_end_a_request) {
  test::StallingServer silent;
  TestClient client({.first_byte_timeout_ms = 50, .idle_read_timeout_ms = 50});
  const Outcome no_answer = client.get(silent.port());
  ASSERT_TRUE(no_answer.error);
  EXPECT_EQ(no_answer.error->error.code, ErrorCode::kDeadlineExceeded);
  EXPECT_EQ(no_answer.error->at, FailedAt::kFirstByte);

  ScriptedServer stalls(always("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"));
  const Outcome half = client.get(stalls.port());
  ASSERT_TRUE(half.error);
  EXPECT_EQ(half.error->error.code, ErrorCode::kDeadlineExceeded);
  EXPECT_EQ(half.error->at, FailedAt::kBody);
  EXPECT_EQ(half.body, "half");
}

TEST(ClientTest, tls_server_that_says_nothing_meets_the_connect_deadline) {
  test::StallingServer silent;
  TestClient client({.connect_timeout_ms = 50});
  const Outcome outcome =
      client.fetch(origin_at(silent.port(), Scheme::kHttps), request_head("GET", "/"));
  ASSERT_TRUE(outcome.error);
  EXPECT_EQ(outcome.error->error.code, ErrorCode::kDeadlineExceeded);
  EXPECT_EQ(outcome.error->at, FailedAt::kConnect);
}

TEST(ClientTest, cancel_closes_the_connection_and_calls_nobody) {
  Once<bool> disconnected;
  Once<ExchangePtr> held;
  TestServer server([&](const ExchangePtr& exchange) {
    exchange->on_disconnect([&] { disconnected.set(true); });
    exchange->start({});
    exchange->write("begun");
    held.set(exchange);
  });
  TestClient client;
  const auto collector = std::make_shared<Collector>();
  Once<bool> data;
  collector->data_hook = [&] { data.set(true); };
  const auto call =
      client.start(origin_at(server.port()), request_head("GET", "/"), SharedBytes(), collector);
  const ExchangePtr exchange = held.wait();
  ASSERT_TRUE(data.wait());
  client.run([&] {
    call->cancel();
    EXPECT_EQ(call->write("x"), WriteResult::kClosed);
  });
  EXPECT_TRUE(disconnected.wait());
  EXPECT_EQ(collector.use_count(), 1);
}

TEST(ClientTest, cancel_within_a_call_back_is_the_last_one) {
  TestServer server([](const ExchangePtr& exchange) { respond_text(*exchange, "text"); });
  TestClient client;
  const auto collector = std::make_shared<Collector>();
  std::shared_ptr<ClientCall> call;
  Once<bool> head;
  collector->head_hook = [&] {
    call->cancel();
    head.set(true);
  };
  client.run([&] {
    call = client.client().request(client.thread(), origin_at(server.port()),
                                   request_head("GET", "/"), SharedBytes(), collector);
  });
  EXPECT_TRUE(head.wait());
  client.run([] {});
  EXPECT_EQ(collector->received(), 0U);
  EXPECT_EQ(collector.use_count(), 1);
}

TEST(ClientTest, paused_answer_holds_the_server_back) {
  const std::string body(20'000'000, 'b');
  TestServer server([&](const ExchangePtr& exchange) { respond_text(*exchange, body); });
  TestClient client({.idle_read_timeout_ms = 100});
  const auto collector = std::make_shared<Collector>();
  std::shared_ptr<ClientCall> call;
  Once<bool> paused;
  bool first = true;
  collector->data_hook = [&] {
    if (!std::exchange(first, false)) return;
    call->pause();
    paused.set(true);
  };
  client.run([&] {
    call = client.client().request(client.thread(), origin_at(server.port()),
                                   request_head("GET", "/"), SharedBytes(), collector);
  });
  ASSERT_TRUE(paused.wait());
  EXPECT_LE(collector->received(), 2 * IoThread::kScratchBytes);
  client.run([&] { call->resume(); });
  const Outcome outcome = collector->wait();
  EXPECT_TRUE(outcome.end);
  EXPECT_EQ(outcome.body, body);
}

TEST(ClientTest, what_came_with_one_read_ends_a_batch_unless_it_ends_the_answer) {
  ScriptedServer server([](std::string_view) {
    return ScriptedServer::Action{
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n1\r\nb\r\n0\r\n\r\n",
        false};
  });
  TestClient client;
  const auto whole = std::make_shared<Collector>();
  whole->batch_hook = [] { ADD_FAILURE() << "the answer has ended"; };
  client.start(origin_at(server.port()), request_head("GET", "/"), SharedBytes(), whole);
  EXPECT_EQ(whole->wait().body, "ab");

  Once<ExchangePtr> held;
  TestServer slow([&](ExchangePtr exchange) { held.set(std::move(exchange)); });
  const auto parts = std::make_shared<Collector>();
  Once<std::string> first_batch;
  bool first = true;
  parts->batch_hook = [&] {
    if (std::exchange(first, false)) first_batch.set(parts->so_far().body);
  };
  client.start(origin_at(slow.port()), request_head("GET", "/"), SharedBytes(), parts);
  const ExchangePtr exchange = held.wait();
  exchange->post([exchange] {
    const ResponseHead head;
    const std::array pieces{SharedBytes("one"), SharedBytes("two")};
    exchange->write({.head = &head, .pieces = pieces});
  });
  EXPECT_EQ(first_batch.wait(), "onetwo");
  exchange->post([exchange] { exchange->finish(); });
  EXPECT_TRUE(parts->wait().end);
}

TEST(ClientTest, answer_that_is_paused_and_resumed_within_a_batch_goes_on) {
  const std::string body(3 * IoThread::kScratchBytes, 'b');
  TestServer server([&](const ExchangePtr& exchange) {
    const ResponseHead head;
    const std::array pieces{SharedBytes("one"), SharedBytes(body), SharedBytes("end")};
    exchange->write({.head = &head, .pieces = pieces, .is_last = true});
  });
  TestClient client({.idle_read_timeout_ms = 20'000});
  const auto collector = std::make_shared<Collector>();
  std::shared_ptr<ClientCall> call;
  collector->data_hook = [&] { call->pause(); };
  collector->batch_hook = [&] { call->resume(); };
  client.run([&] {
    call = client.client().request(client.thread(), origin_at(server.port()),
                                   request_head("GET", "/"), SharedBytes(), collector);
  });
  EXPECT_TRUE(collector->wait().body == "one" + body + "end");
}

TEST(ClientTest, streamed_body_is_chunked_as_it_is_written) {
  TestServer server(echo);
  TestClient client;
  const auto collector = std::make_shared<Collector>();
  const auto call =
      client.start(origin_at(server.port()), request_head("POST", "/s"), std::nullopt, collector);
  client.run([&] { EXPECT_NE(call->write("one "), WriteResult::kClosed); });
  client.run([&] {
    EXPECT_NE(call->write(SharedBytes("two")), WriteResult::kClosed);
    call->finish();
  });
  EXPECT_EQ(collector->wait().body, "POST /s one two");
}

TEST(ClientTest, streamed_body_keeps_its_content_length) {
  TestServer server(echo);
  TestClient client;
  const auto stream = [&](std::string_view body) {
    RequestHead head = request_head("POST", "/s");
    head.headers.add("Content-Length", "4");
    const auto collector = std::make_shared<Collector>();
    const auto call = client.start(origin_at(server.port()), head, std::nullopt, collector);
    client.run([&] {
      call->write(body);
      call->finish();
    });
    return collector->wait();
  };
  EXPECT_EQ(stream("four").body, "POST /s four");
  EXPECT_EQ(stream("five!").error->error.code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(stream("two").error->error.code, ErrorCode::kInvalidArgument);
}

TEST(ClientTest, large_streamed_body_goes_through_drain) {
  TestServer server([](const ExchangePtr& exchange) {
    auto bytes = std::make_shared<std::size_t>(0);
    exchange->stream_body({.on_data = [bytes](std::string_view data) { *bytes += data.size(); },
                           .on_end =
                               [bytes, exchange](const Status& status) {
                                 ASSERT_TRUE(status.ok());
                                 respond_text(*exchange, std::to_string(*bytes));
                               }});
  });
  TestClient client;
  const auto collector = std::make_shared<Collector>();
  const auto call =
      client.start(origin_at(server.port()), request_head("POST", "/"), std::nullopt, collector);
  const std::string piece(500'000, 'x');
  int left = 40;
  const std::function<void()> go_on = [&] {
    while (left > 0) {
      --left;
      if (call->write(std::string_view(piece)) == WriteResult::kQueued) return;
    }
    call->finish();
  };
  client.run([&] {
    call->on_drain(go_on);
    go_on();
  });
  EXPECT_EQ(collector->wait().body, "20000000");
}

TEST(ClientTest, early_answer_to_a_streamed_body_arrives) {
  TestServer server([](const ExchangePtr& exchange) { exchange->respond_error(413, "too much"); });
  TestClient client;
  const auto collector = std::make_shared<Collector>();
  RequestHead head = request_head("POST", "/");
  head.headers.add("Content-Length", "10000000");
  const auto call = client.start(origin_at(server.port()), head, std::nullopt, collector);
  const Outcome outcome = collector->wait();
  EXPECT_TRUE(outcome.end);
  EXPECT_EQ(outcome.head->status, 413);
  EXPECT_EQ(client.client().idle_connections(), 0U);
}

TEST(ClientTest, field_that_would_split_the_request_is_refused) {
  TestServer server(echo);
  TestClient client;
  RequestHead head = request_head("GET", "/");
  head.headers.add("A", "b\r\nInjected: yes");
  EXPECT_EQ(client.fetch(origin_at(server.port()), head).error->error.code,
            ErrorCode::kInvalidArgument);
  EXPECT_EQ(client.fetch(origin_at(server.port()), request_head("GET", "/ HTTP/1.1\r\nA: b"))
                .error->error.code,
            ErrorCode::kInvalidArgument);
}

TEST(ClientTest, destruction_ends_requests_silently) {
  test::StallingServer server;
  const auto collector = std::make_shared<Collector>();
  {
    TestClient client;
    client.start(origin_at(server.port()), request_head("GET", "/"), SharedBytes(), collector);
  }
  EXPECT_EQ(collector.use_count(), 1);
}

TEST(ClientTest, bad_options_are_refused_with_their_name) {
  ClientOptions options;
  options.connect_timeout_ms = 0;
  EXPECT_THAT(options.validate().error().message, HasSubstr("connect_timeout_ms"));
  IoThreads threads({.threads = 1});
  EXPECT_THROW(Client(threads, options), std::invalid_argument);
  EXPECT_THROW(Client(threads, {.tls = {.extra_ca_file = "/no/such/file"}}), std::runtime_error);
}

}  // namespace
}  // namespace llm_edge_cache::http
