#include "http/server.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "raw_client.hpp"
#include "test_server.hpp"
#include "tests/support/eventually.hpp"

namespace llm_edge_cache::http {
namespace {

using test::eventually;
using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

std::string dechunk(std::string_view body) {
  std::string out;
  for (;;) {
    const std::size_t line = body.find("\r\n");
    if (line == std::string_view::npos) return out + "<cut>";
    const std::size_t size = std::stoul(std::string(body.substr(0, line)), nullptr, 16);
    if (size == 0) return out;
    out += body.substr(line + 2, size);
    body.remove_prefix(line + 2 + size + 2);
  }
}

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

TEST(ServerTest, head_gets_the_head_of_get_and_no_body) {
  TestServer server(echo);
  RawClient client(server.port());
  client.send("HEAD /h HTTP/1.1\r\nHost: h\r\n\r\n" + get("/next"));
  EXPECT_THAT(client.read_until("\r\n\r\n"), HasSubstr("Content-Length: 8\r\n"));
  EXPECT_THAT(client.read_response(), EndsWith("GET /next "));
}

TEST(ServerTest, status_without_body_has_no_length) {
  TestServer server([](const ExchangePtr& exchange) {
    ResponseHead head;
    head.status = 204;
    exchange->respond(head, SharedBytes("never sent"));
  });
  RawClient client(server.port());
  client.send(get("/") + get("/"));
  for (int i = 0; i < 2; ++i) {
    EXPECT_THAT(client.read_until("\r\n\r\n"),
                AllOf(StartsWith("HTTP/1.1 204 No Content"), Not(HasSubstr("Content-Length"))));
  }
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

TEST(ServerTest, error_bodies_are_the_formatters) {
  ServerOptions options;
  options.format_error = [](std::uint16_t status, std::string_view detail,
                            const RequestHead* head) {
    return ErrorBody{"application/json", "{\"status\":" + std::to_string(status) +
                                             ",\"detail\":\"" + std::string(detail) +
                                             "\",\"path\":\"" +
                                             (head != nullptr ? head->target : "?") + "\"}"};
  };
  TestServer server([](const ExchangePtr& exchange) { exchange->respond_error(418, "tea"); },
                    options);
  RawClient client(server.port());
  client.send(get("/pot"));
  EXPECT_THAT(client.read_response(),
              AllOf(HasSubstr("Content-Type: application/json\r\n"),
                    EndsWith(R"({"status":418,"detail":"tea","path":"/pot"})")));
  client.send("bad\r\n\r\n");
  EXPECT_THAT(client.read_all(), EndsWith(R"("path":"?"})"));
}

TEST(ServerTest, every_answer_has_the_extra_fields_of_its_exchange) {
  ExtraFields extra;
  extra.lines.add<"X-Extra">("1");
  extra.replaces = "x-";
  TestServer server([&extra](const ExchangePtr& exchange) {
    if (exchange->head().target != "/plain") exchange->set_extra_fields(&extra);
    ResponseHead head;
    head.headers.add("x-own", "1");
    if (exchange->head().target != "/streamed") return exchange->respond(head, SharedBytes("text"));
    exchange->start(head);
    exchange->finish();
  });
  RawClient client(server.port());
  client.send(get("/whole"));
  EXPECT_THAT(client.read_response(), AllOf(HasSubstr("X-Extra: 1\r\n"), Not(HasSubstr("x-own"))));
  client.send(get("/plain"));
  EXPECT_THAT(client.read_response(), AllOf(HasSubstr("x-own: 1\r\n"), Not(HasSubstr("X-Extra"))));
  client.send(get("/streamed"));
  EXPECT_THAT(client.read_response(), AllOf(HasSubstr("X-Extra: 1\r\n"), Not(HasSubstr("x-own"))));
}

TEST(ServerTest, an_error_of_the_servers_own_has_the_extra_fields_of_the_formatter) {
  ServerOptions options;
  options.format_error = [](std::uint16_t, std::string_view, const RequestHead* head) {
    auto extra = std::make_shared<ExtraFields>();
    extra->lines.add<"X-Knows-Head">(head == nullptr ? "no" : "yes");
    return ErrorBody{"text/plain", "no", extra};
  };
  TestServer server([](const ExchangePtr& exchange) { exchange->respond_error(418, "tea"); },
                    options);
  RawClient client(server.port());
  client.send(get("/", "Expect: miracles\r\n"));
  EXPECT_THAT(client.read_response(), HasSubstr("X-Knows-Head: yes\r\n"));
  client.send("bad\r\n\r\n");
  EXPECT_THAT(client.read_all(), HasSubstr("X-Knows-Head: no\r\n"));
}

TEST(ServerTest, streamed_answer_is_chunked_as_it_is_written) {
  Once<ExchangePtr> held;
  TestServer server([&](ExchangePtr exchange) { held.set(std::move(exchange)); });
  RawClient client(server.port());
  client.send(get("/"));
  const ExchangePtr exchange = held.wait();
  exchange->post([exchange] {
    exchange->start({});
    EXPECT_EQ(exchange->write("first"), WriteResult::kSent);
    EXPECT_EQ(exchange->write(""), WriteResult::kSent);
  });
  EXPECT_THAT(client.read_until("first\r\n"), AllOf(HasSubstr("Transfer-Encoding: chunked\r\n"),
                                                    EndsWith("\r\n\r\n5\r\nfirst\r\n")));
  exchange->post([exchange] {
    EXPECT_EQ(exchange->write(SharedBytes("and second")), WriteResult::kSent);
    exchange->finish();
    EXPECT_TRUE(exchange->ended());
    EXPECT_EQ(exchange->write("more"), WriteResult::kClosed);
  });
  EXPECT_EQ(client.read_until("0\r\n\r\n"), "a\r\nand second\r\n0\r\n\r\n");
}

TEST(ServerTest, streamed_answer_keeps_its_content_length) {
  TestServer server([](const ExchangePtr& exchange) {
    ResponseHead head;
    head.headers.add("Content-Length", "10");
    exchange->start(head);
    exchange->write("01234");
    if (exchange->head().target == "/whole") exchange->write("56789");
    if (exchange->head().target == "/long") exchange->write("567890");
    exchange->finish();
  });
  RawClient whole(server.port());
  whole.send(get("/whole"));
  EXPECT_THAT(whole.read_response(), EndsWith("\r\n\r\n0123456789"));
  for (const std::string_view target : {"/short", "/long"}) {
    RawClient client(server.port());
    client.send(get(target));
    EXPECT_THAT(client.read_all(), Not(HasSubstr("56789"))) << target;
    EXPECT_TRUE(client.was_reset()) << target;
  }
}

TEST(ServerTest, streamed_answer_to_http10_ends_with_the_connection) {
  TestServer server([](const ExchangePtr& exchange) {
    exchange->start({});
    exchange->write("some");
    exchange->write("thing");
    exchange->finish();
  });
  RawClient client(server.port());
  client.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_THAT(client.read_all(), AllOf(Not(HasSubstr("chunked")), HasSubstr("Connection: close"),
                                       EndsWith("\r\n\r\nsomething")));
  EXPECT_FALSE(client.was_reset());
}

TEST(ServerTest, streamed_answer_to_head_has_no_body) {
  TestServer server([](const ExchangePtr& exchange) {
    exchange->start({});
    EXPECT_EQ(exchange->write("unseen"), WriteResult::kSent);
    exchange->finish();
  });
  RawClient client(server.port());
  client.send("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_THAT(client.read_until("\r\n\r\n"), HasSubstr("Transfer-Encoding: chunked"));
  client.send(get("/", "Connection: close\r\n"));
  EXPECT_THAT(client.read_all(), StartsWith("HTTP/1.1 200"));
}

TEST(ServerTest, aborted_answer_is_seen_as_cut) {
  TestServer server([](const ExchangePtr& exchange) {
    exchange->start({});
    exchange->write("half");
    exchange->abort();
    EXPECT_TRUE(exchange->ended());
  });
  RawClient client(server.port());
  client.send(get("/"));
  EXPECT_THAT(client.read_all(), Not(HasSubstr("0\r\n\r\n")));
  EXPECT_TRUE(client.was_reset());
}

TEST(ServerTest, slow_reader_gets_every_byte_through_the_queue) {
  const std::string piece(100'000, 'p');
  constexpr std::size_t kPieces = 200;
  Once<bool> queued;
  std::atomic<int> drains{0};
  TestServer server([&](const ExchangePtr& exchange) {
    exchange->start({});
    const auto written = std::make_shared<std::size_t>(0);
    const std::function<void()> go_on = [&, exchange, written] {
      while (*written < kPieces) {
        ++*written;
        if (exchange->write(std::string_view(piece)) == WriteResult::kQueued) return;
      }
      exchange->finish();
    };
    exchange->on_drain([&drains, go_on] {
      ++drains;
      go_on();
    });
    go_on();
    queued.set(*written < kPieces);
  });
  RawClient client(server.port());
  client.shrink_receive_buffer();
  client.send(get("/", "Connection: close\r\n"));
  ASSERT_TRUE(queued.wait());  // nothing was read so far: the socket is full
  client.read_until("\r\n\r\n");
  EXPECT_EQ(dechunk(client.read_all()), std::string(kPieces * piece.size(), 'p'));
  EXPECT_GT(drains, 0);
}

TEST(ServerTest, queue_over_its_bound_cuts_the_connection) {
  ServerOptions options;
  options.max_write_queue_bytes = 10'000;
  Once<WriteResult> last;
  TestServer server(
      [&](const ExchangePtr& exchange) {
        exchange->start({});
        const std::string piece(100'000, 'p');
        WriteResult result = WriteResult::kSent;
        while (result != WriteResult::kClosed) result = exchange->write(std::string_view(piece));
        last.set(result);
      },
      options);
  RawClient client(server.port());
  client.send(get("/"));
  EXPECT_EQ(last.wait(), WriteResult::kClosed);
  client.read_all();
  EXPECT_TRUE(client.was_reset());
}

TEST(ServerTest, whole_answer_larger_than_the_queue_bound_is_sent) {
  ServerOptions options;
  options.max_write_queue_bytes = 1'000;
  const std::string body(20'000'000, 'b');
  TestServer server([&](const ExchangePtr& exchange) { respond_text(*exchange, body); }, options);
  RawClient client(server.port());
  client.send(get("/") + get("/"));
  EXPECT_TRUE(client.read_response().ends_with(body));
  EXPECT_TRUE(client.read_response().ends_with(body));
}

TEST(ServerTest, reader_that_stops_is_cut) {
  ServerOptions options;
  options.write_timeout_ms = 50;
  Once<bool> disconnected;
  TestServer server(
      [&](const ExchangePtr& exchange) {
        exchange->on_disconnect([&] { disconnected.set(true); });
        exchange->start({});
        const std::string piece(1'000'000, 'p');
        while (exchange->write(std::string_view(piece)) == WriteResult::kSent) {
        }
        exchange->on_drain([exchange] { ADD_FAILURE() << "nobody read"; });
      },
      options);
  RawClient client(server.port());
  client.shrink_receive_buffer();
  client.send(get("/"));
  EXPECT_TRUE(disconnected.wait());
}

TEST(ServerTest, slow_head_is_408_and_an_idle_connection_is_closed) {
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

TEST(ServerTest, client_that_leaves_is_noticed_while_an_answer_streams) {
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

TEST(ServerTest, client_that_closed_its_side_is_not_told_that_it_was_let_go_of) {
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

TEST(ServerTest, client_that_closes_only_its_side_gets_its_answer) {
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

TEST(ServerTest, client_that_leaves_within_its_body_is_told_to_the_sink) {
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

TEST(ServerTest, exchange_that_is_dropped_is_answered_or_cut) {
  TestServer server([](const ExchangePtr& exchange) {
    if (exchange->head().target == "/begun") exchange->start({});
  });
  RawClient client(server.port());
  client.send(get("/"));
  EXPECT_THAT(client.read_response(), StartsWith("HTTP/1.1 500 "));
  client.send(get("/begun"));
  client.read_all();
  EXPECT_TRUE(client.was_reset());
}

TEST(ServerTest, exchange_dropped_on_another_thread_is_answered) {
  Once<ExchangePtr> held;
  TestServer server([&](ExchangePtr exchange) { held.set(std::move(exchange)); });
  RawClient client(server.port());
  client.send(get("/"));
  held.wait().reset();
  EXPECT_THAT(client.read_response(), StartsWith("HTTP/1.1 500 "));
}

TEST(ServerTest, field_that_would_split_the_answer_is_refused) {
  TestServer server([](const ExchangePtr& exchange) {
    ResponseHead head;
    head.headers.add("A", "b\r\nInjected: yes");
    exchange->respond(head, SharedBytes("body"));
  });
  RawClient client(server.port());
  client.send(get("/"));
  EXPECT_THAT(client.read_response(),
              AllOf(StartsWith("HTTP/1.1 500 "), Not(HasSubstr("Injected"))));
}

TEST(ServerTest, connections_over_the_limit_get_503) {
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

TEST(ServerTest, drain_lets_answers_end_and_closes_what_is_idle) {
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

TEST(ServerTest, drain_announces_the_close) {
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

TEST(ServerTest, drain_cuts_what_does_not_end_in_time) {
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

TEST(ServerTest, stop_cuts_connections_and_later_calls_do_nothing) {
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

TEST(ServerTest, bad_options_and_addresses_are_refused_with_their_name) {
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
}  // namespace llm_edge_cache::http
