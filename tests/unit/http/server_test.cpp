#include "http/server.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "raw_client.hpp"
#include "test_server.hpp"
#include "tests/support/eventually.hpp"

namespace llm_edge_cache::http::server_test {
namespace {

using test::eventually;
using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

TEST(ServerTest, connection_serves_request_after_request) {
  TestServer server(echo);
  RawClient client(server.port());
  for (int i = 0; i < 3; ++i) {
    client.send(post("/p", std::to_string(i)));
    EXPECT_THAT(client.read_response(),
                AllOf(StartsWith("HTTP/1.1 200 OK\r\n"), HasSubstr("\r\nDate: "),
                      Not(HasSubstr("Connection")), EndsWith("POST /p " + std::to_string(i))));
  }
  EXPECT_EQ(server.server().connection_count(), 1U);
}

TEST(ServerTest, pipelined_requests_are_answered_in_order) {
  TestServer server(echo);
  RawClient client(server.port());
  std::string all;
  for (int i = 0; i < 50; ++i)
    all += i % 2 == 0 ? get("/" + std::to_string(i)) : post("/p", std::to_string(i));
  client.send(all);
  for (int i = 0; i < 50; ++i) {
    const std::string expected =
        i % 2 == 0 ? "GET /" + std::to_string(i) + " " : "POST /p " + std::to_string(i);
    EXPECT_THAT(client.read_response(), EndsWith("\r\n\r\n" + expected));
  }
}

TEST(ServerTest, pipelined_requests_wait_for_an_answer_that_is_late) {
  Once<ExchangePtr> held;
  std::atomic<int> calls{0};
  TestServer server([&](ExchangePtr exchange) {
    if (calls.fetch_add(1) == 0) return held.set(std::move(exchange));
    echo(exchange);
  });
  RawClient client(server.port());
  client.send(get("/first") + get("/second"));
  const ExchangePtr first = held.wait();
  EXPECT_EQ(calls, 1);
  first->post([first] { respond_text(*first, "late"); });
  EXPECT_THAT(client.read_response(), EndsWith("late"));
  EXPECT_THAT(client.read_response(), EndsWith("GET /second "));
}

TEST(ServerTest, request_that_comes_byte_by_byte_is_understood) {
  TestServer server(echo);
  RawClient client(server.port());
  for (const char c : post("/slow", "body")) ASSERT_TRUE(client.send({&c, 1}));
  EXPECT_THAT(client.read_response(), EndsWith("POST /slow body"));
}

// Answers, as the proxy does, while the bytes of the body are still where they were read.
class EchoingReceiver final : public BodyReceiver {
 public:
  explicit EchoingReceiver(ExchangePtr exchange) : exchange_(std::move(exchange)) {}
  void on_body(Result<std::string_view> body) override {
    if (body.ok()) respond_text(*exchange_, exchange_->head().target + " " + std::string(*body));
  }

 private:
  const ExchangePtr exchange_;
};

void echo_at_once(const ExchangePtr& exchange) {
  exchange->read_body(1 << 20, std::make_shared<EchoingReceiver>(exchange));
}

TEST(ServerTest, requests_cut_at_every_byte_are_received_whole) {
  TestServer server(echo_at_once);
  RawClient client(server.port());
  const std::string requests = post("/first", "one", "Authorization: Bearer x\r\n") +
                               get("/second") + post("/third", std::string(300, 't'));
  for (std::size_t cut = 1; cut < requests.size(); cut += 3) {
    client.send(requests.substr(0, cut));
    client.send(requests.substr(cut));
    EXPECT_THAT(client.read_response(), EndsWith("\r\n\r\n/first one")) << cut;
    EXPECT_THAT(client.read_response(), EndsWith("\r\n\r\n/second ")) << cut;
    EXPECT_THAT(client.read_response(), EndsWith("/third " + std::string(300, 't'))) << cut;
  }
}

TEST(ServerTest, body_larger_than_one_read_is_received_whole) {
  TestServer server(echo_at_once);
  RawClient client(server.port());
  const std::string large(3 * IoThread::kScratchBytes + 1, 'x');
  client.send(post("/large", large) + post("/small", "y"));
  EXPECT_THAT(client.read_response(), EndsWith("/large " + large));
  EXPECT_THAT(client.read_response(), EndsWith("/small y"));
}

TEST(ServerTest, head_of_an_answered_exchange_keeps_its_fields) {
  std::vector<ExchangePtr> kept;  // on one thread: there is one connection
  TestServer server([&](const ExchangePtr& exchange) {
    kept.push_back(exchange);
    echo_at_once(exchange);
  });
  {
    RawClient client(server.port());
    client.send(post("/a", "1", "X: " + std::string(200, 'a') + "\r\n") +
                post("/b", "2", "X: " + std::string(300, 'b') + "\r\n"));
    client.read_response();
    client.read_response();
  }
  server.server().stop();
  ASSERT_EQ(kept.size(), 2U);
  EXPECT_EQ(kept[0]->head().headers.get("x"), std::string(200, 'a'));
  EXPECT_EQ(kept[1]->head().headers.get("x"), std::string(300, 'b'));
  server.threads().run_on_each([&](IoThread&) {});
  kept.clear();
}

TEST(ServerTest, chunked_request_is_read_and_its_trailers_skipped) {
  TestServer server(echo);
  RawClient client(server.port());
  client.send(
      "POST /c HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
      "3\r\nabc\r\n2;ext=1\r\nde\r\n0\r\nTrailer: x\r\n\r\n" +
      get("/next"));
  EXPECT_THAT(client.read_response(), EndsWith("POST /c abcde"));
  EXPECT_THAT(client.read_response(), EndsWith("GET /next "));
}

TEST(ServerTest, http10_closes_unless_asked_to_stay) {
  TestServer server(echo);
  RawClient closing(server.port());
  closing.send("GET /a HTTP/1.0\r\n\r\n");
  EXPECT_THAT(closing.read_all(), AllOf(StartsWith("HTTP/1.1 200"), HasSubstr("Connection: close"),
                                        EndsWith("GET /a ")));

  RawClient staying(server.port());
  for (int i = 0; i < 2; ++i) {
    staying.send("GET /b HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    EXPECT_THAT(staying.read_response(), HasSubstr("Connection: keep-alive"));
  }
}

TEST(ServerTest, connection_close_is_obeyed) {
  TestServer server(echo);
  RawClient client(server.port());
  client.send(get("/", "Connection: close\r\n"));
  EXPECT_THAT(client.read_all(), HasSubstr("Connection: close\r\n"));
  EXPECT_FALSE(client.was_reset());
}

TEST(ServerTest, hundred_continue_is_sent_when_the_body_is_asked_for) {
  Once<ExchangePtr> held;
  TestServer server([&](ExchangePtr exchange) { held.set(std::move(exchange)); });
  RawClient client(server.port());
  client.send("POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  const ExchangePtr exchange = held.wait();
  exchange->post([exchange] { echo(exchange); });
  EXPECT_EQ(client.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  client.send("hi");
  EXPECT_THAT(client.read_response(), EndsWith("POST / hi"));
}

TEST(ServerTest, refused_body_gets_no_hundred_continue_and_ends_the_connection) {
  TestServer server([](const ExchangePtr& exchange) { exchange->respond_error(403, "no"); });
  RawClient client(server.port());
  client.send("POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  EXPECT_THAT(client.read_all(), AllOf(StartsWith("HTTP/1.1 403"), HasSubstr("Connection: close")));
}

TEST(ServerTest, other_expectations_fail) {
  TestServer server(echo);
  RawClient client(server.port());
  client.send(get("/", "Expect: tea\r\n"));
  EXPECT_THAT(client.read_response(), StartsWith("HTTP/1.1 417 "));
}

TEST(ServerTest, small_body_that_nobody_read_is_skipped) {
  TestServer server([](const ExchangePtr& exchange) { respond_text(*exchange, "unread"); });
  RawClient client(server.port());
  client.send(post("/", "ignored") + post("/", "ignored"));
  EXPECT_THAT(client.read_response(), EndsWith("unread"));
  EXPECT_THAT(client.read_response(), EndsWith("unread"));
}

TEST(ServerTest, answer_survives_a_large_body_that_nobody_read) {
  TestServer server(
      [](const ExchangePtr& exchange) { exchange->respond_error(404, "nothing here"); });
  RawClient client(server.port());
  client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 400000\r\n\r\n");
  client.send(std::string(400'000, 'x'));
  EXPECT_THAT(client.read_all(), AllOf(StartsWith("HTTP/1.1 404"), EndsWith("nothing here\n")));
}

TEST(ServerTest, limits_have_their_statuses) {
  ServerOptions options;
  options.max_header_bytes = 2'000;
  options.max_target_bytes = 100;
  options.max_body_bytes = 10;
  TestServer server(echo, options);
  const auto answer_to = [&](const std::string& request) {
    RawClient client(server.port());
    client.send(request);
    return client.read_all();
  };
  EXPECT_THAT(answer_to(get("/" + std::string(200, 'x'))), StartsWith("HTTP/1.1 414 "));
  EXPECT_THAT(answer_to(get("/", "A: " + std::string(3'000, 'x') + "\r\n")),
              StartsWith("HTTP/1.1 431 "));
  EXPECT_THAT(answer_to(post("/", std::string(70'000, 'x'))), StartsWith("HTTP/1.1 413 "));
  EXPECT_THAT(answer_to("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
                        "B\r\nhello world\r\n0\r\n\r\n"),
              StartsWith("HTTP/1.1 413 "));
  EXPECT_THAT(answer_to("nonsense\r\n\r\n"), StartsWith("HTTP/1.1 400 "));
}

TEST(ServerTest, body_over_the_handlers_own_limit_is_413_for_both) {
  Once<ErrorCode> told;
  TestServer server([&](const ExchangePtr& exchange) {
    exchange->read_body(3, [&, exchange](const Result<std::string>& body) {
      told.set(body.ok() ? ErrorCode::kInternal : body.error().code);
    });
  });
  RawClient client(server.port());
  client.send(post("/", "four"));
  EXPECT_THAT(client.read_all(), StartsWith("HTTP/1.1 413 "));
  EXPECT_EQ(told.wait(), ErrorCode::kTooLarge);
}

TEST(ServerTest, bad_chunk_is_400_for_both) {
  Once<ErrorCode> told;
  TestServer server([&](const ExchangePtr& exchange) {
    exchange->read_body(100, [&, exchange](const Result<std::string>& body) {
      told.set(body.ok() ? ErrorCode::kInternal : body.error().code);
    });
  });
  RawClient client(server.port());
  client.send("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n");
  EXPECT_THAT(client.read_all(), StartsWith("HTTP/1.1 400 "));
  EXPECT_EQ(told.wait(), ErrorCode::kProtocol);
}

TEST(ServerTest, slow_body_is_408_for_both) {
  ServerOptions options;
  options.body_timeout_ms = 50;
  Once<ErrorCode> told;
  TestServer server(
      [&](const ExchangePtr& exchange) {
        exchange->read_body(100, [&, exchange](const Result<std::string>& body) {
          told.set(body.ok() ? ErrorCode::kInternal : body.error().code);
        });
      },
      options);
  RawClient client(server.port());
  client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nhal");
  EXPECT_THAT(client.read_all(), StartsWith("HTTP/1.1 408 "));
  EXPECT_EQ(told.wait(), ErrorCode::kDeadlineExceeded);
}

TEST(ServerTest, paused_body_holds_the_sender_back) {
  Once<ExchangePtr> held;
  auto received = std::make_shared<std::atomic<std::size_t>>(0);
  TestServer server([&](const ExchangePtr& exchange) {
    Exchange::BodySink sink;
    sink.on_data = [received, exchange](std::string_view bytes) {
      if (received->fetch_add(bytes.size()) == 0) exchange->pause_body();
    };
    sink.on_end = [received, exchange](const Status& status) {
      ASSERT_TRUE(status.ok());
      respond_text(*exchange, std::to_string(received->load()));
    };
    exchange->stream_body(std::move(sink));
    held.set(exchange);
  });
  RawClient client(server.port());
  client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 200000\r\n\r\n" +
              std::string(200'000, 'x'));
  const ExchangePtr exchange = held.wait();
  ASSERT_TRUE(eventually([&] { return received->load() > 0; }));
  EXPECT_LE(received->load(), 2 * IoThread::kScratchBytes);
  exchange->post([exchange] { exchange->resume_body(); });
  EXPECT_THAT(client.read_response(), EndsWith("200000"));
}

}  // namespace
}  // namespace llm_edge_cache::http::server_test
