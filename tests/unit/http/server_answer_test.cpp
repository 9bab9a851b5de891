#include "http/server.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "raw_client.hpp"
#include "test_server.hpp"

namespace llm_edge_cache::http::server_answer_test {
namespace {

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

TEST(ServerAnswerTest, head_gets_the_head_of_get_and_no_body) {
  TestServer server(echo);
  RawClient client(server.port());
  client.send("HEAD /h HTTP/1.1\r\nHost: h\r\n\r\n" + get("/next"));
  EXPECT_THAT(client.read_until("\r\n\r\n"), HasSubstr("Content-Length: 8\r\n"));
  EXPECT_THAT(client.read_response(), EndsWith("GET /next "));
}

TEST(ServerAnswerTest, status_without_body_has_no_length) {
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

TEST(ServerAnswerTest, error_bodies_are_the_formatters) {
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

TEST(ServerAnswerTest, every_answer_has_the_extra_fields_of_its_exchange) {
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

TEST(ServerAnswerTest, an_error_of_the_servers_own_has_the_extra_fields_of_the_formatter) {
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

TEST(ServerAnswerTest, streamed_answer_is_chunked_as_it_is_written) {
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

TEST(ServerAnswerTest, streamed_answer_keeps_its_content_length) {
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

TEST(ServerAnswerTest, streamed_answer_to_http10_ends_with_the_connection) {
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

TEST(ServerAnswerTest, streamed_answer_to_head_has_no_body) {
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

TEST(ServerAnswerTest, aborted_answer_is_seen_as_cut) {
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

TEST(ServerAnswerTest, slow_reader_gets_every_byte_through_the_queue) {
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

TEST(ServerAnswerTest, queue_over_its_bound_cuts_the_connection) {
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

TEST(ServerAnswerTest, whole_answer_larger_than_the_queue_bound_is_sent) {
  ServerOptions options;
  options.max_write_queue_bytes = 1'000;
  const std::string body(20'000'000, 'b');
  TestServer server([&](const ExchangePtr& exchange) { respond_text(*exchange, body); }, options);
  RawClient client(server.port());
  client.send(get("/") + get("/"));
  EXPECT_TRUE(client.read_response().ends_with(body));
  EXPECT_TRUE(client.read_response().ends_with(body));
}

TEST(ServerAnswerTest, reader_that_stops_is_cut) {
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

TEST(ServerAnswerTest, exchange_that_is_dropped_is_answered_or_cut) {
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

TEST(ServerAnswerTest, exchange_dropped_on_another_thread_is_answered) {
  Once<ExchangePtr> held;
  TestServer server([&](ExchangePtr exchange) { held.set(std::move(exchange)); });
  RawClient client(server.port());
  client.send(get("/"));
  held.wait().reset();
  EXPECT_THAT(client.read_response(), StartsWith("HTTP/1.1 500 "));
}

TEST(ServerAnswerTest, field_that_would_split_the_answer_is_refused) {
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

}  // namespace
}  // namespace llm_edge_cache::http::server_answer_test
