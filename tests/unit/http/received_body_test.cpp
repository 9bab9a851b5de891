// Bodies that come in one piece with their heads, and answers of connections that are ready at
// once.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "raw_client.hpp"
#include "test_server.hpp"

namespace llm_edge_cache::http {
namespace {

using ::testing::EndsWith;

void answer_from_what_came(const ExchangePtr& exchange) {
  respond_text(*exchange, std::string(exchange->received_body().value_or("nothing")));
}

TEST(ReceivedBodyTest, a_body_that_came_with_its_head_is_there_before_it_is_asked_for) {
  TestServer server(answer_from_what_came);
  RawClient client(server.port());
  for (int i = 0; i < 3; ++i) {  // the later heads are recalled
    client.send(post("/", "one"));
    EXPECT_THAT(client.read_response(), EndsWith("\r\n\r\none"));
  }
  client.send(post("/", "two") + post("/other", "three") + get("/"));
  EXPECT_THAT(client.read_response(), EndsWith("\r\n\r\ntwo"));
  EXPECT_THAT(client.read_response(), EndsWith("\r\n\r\nthree"));
  EXPECT_THAT(client.read_response(), EndsWith("\r\n\r\nnothing"));
}

TEST(ReceivedBodyTest, a_body_that_is_still_to_come_is_not_there_and_can_be_read) {
  Once<bool> was_there;
  TestServer server([&](const ExchangePtr& exchange) {
    was_there.set(exchange->received_body().has_value());
    echo(exchange);
  });
  RawClient client(server.port());
  const std::string request = post("/", "body");
  client.send(request.substr(0, request.size() - 1));
  EXPECT_FALSE(was_there.wait());  // the handler is called for the head
  client.send(request.substr(request.size() - 1));
  EXPECT_THAT(client.read_response(), EndsWith("POST / body"));
}

TEST(ReceivedBodyTest, a_chunked_body_is_not_there_and_can_be_read) {
  TestServer server([](const ExchangePtr& exchange) {
    EXPECT_FALSE(exchange->received_body());
    echo(exchange);
  });
  RawClient client(server.port());
  client.send(
      "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n");
  EXPECT_THAT(client.read_response(), EndsWith("POST / ab"));
}

TEST(ReceivedBodyTest, chunks_that_come_at_once_are_one_piece_however_small) {
  std::atomic<int> pieces{0};
  TestServer server([&](const ExchangePtr& exchange) {
    auto text = std::make_shared<std::string>();
    exchange->stream_body(
        {.on_data =
             [&pieces, text](std::string_view bytes) {
               *text += bytes;
               ++pieces;
             },
         .on_end = [exchange, text](
                       const Status&) { respond_text(*exchange, std::to_string(text->size())); }});
  });
  RawClient client(server.port());
  std::string request = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (int i = 0; i < 10'000; ++i) request += "1\r\nx\r\n";
  client.send(request + "0\r\n\r\n");
  EXPECT_THAT(client.read_response(), EndsWith("10000"));
  EXPECT_LT(pieces, 1'000);
}

TEST(ReceivedBodyTest, a_handler_that_asks_for_it_later_gets_it_whole_and_the_next_request_waits) {
  Once<ExchangePtr> held;
  std::atomic<int> calls{0};
  TestServer server([&](ExchangePtr exchange) {
    if (calls.fetch_add(1) == 0) return held.set(std::move(exchange));
    echo(exchange);
  });
  RawClient client(server.port());
  client.send(post("/first", "kept") + post("/second", "next"));
  const ExchangePtr first = held.wait();
  first->post([first] {
    EXPECT_TRUE(first->received_body());
    echo(first);
  });
  EXPECT_THAT(client.read_response(), EndsWith("POST /first kept"));
  EXPECT_THAT(client.read_response(), EndsWith("POST /second next"));
}

TEST(ReceivedBodyTest, it_is_streamed_to_whoever_streams_and_is_413_over_the_limit) {
  TestServer server([](const ExchangePtr& exchange) {
    if (exchange->head().target == "/limit") {
      return exchange->read_body(2, [exchange](const Result<std::string>& body) {
        EXPECT_EQ(body.error().code, ErrorCode::kTooLarge);
      });
    }
    auto text = std::make_shared<std::string>();
    exchange->stream_body({.on_data = [text](std::string_view bytes) { *text += bytes; },
                           .on_end =
                               [exchange, text](const Status&) {
                                 EXPECT_FALSE(exchange->received_body());
                                 respond_text(*exchange, *text);
                               }});
  });
  RawClient client(server.port());
  client.send(post("/stream", "abc") + post("/stream", "def"));
  EXPECT_THAT(client.read_response(), EndsWith("\r\n\r\nabc"));
  EXPECT_THAT(client.read_response(), EndsWith("\r\n\r\ndef"));
  client.send(post("/limit", "abc"));
  EXPECT_THAT(client.read_response(), ::testing::StartsWith("HTTP/1.1 413 "));
}

// Whether answers were held depends on what was ready together; that they arrive does not.
TEST(ReceivedBodyTest, many_connections_that_ask_at_once_each_get_their_own_answers) {
  TestServer server(answer_from_what_came);
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < 60; ++i) clients.push_back(std::make_unique<RawClient>(server.port()));
  for (int round = 0; round < 20; ++round) {
    // Short ones, ones too long to be held, and two in one packet.
    const auto text = [&](std::size_t i) {
      return std::to_string(i) + std::string(i % 3 == 0 ? 5'000 : i, 'x');
    };
    for (std::size_t i = 0; i < clients.size(); ++i) {
      clients[i]->send(post("/", text(i)) + (i % 4 == 0 ? post("/", "second") : ""));
    }
    for (std::size_t i = 0; i < clients.size(); ++i) {
      ASSERT_THAT(clients[i]->read_response(), EndsWith("\r\n\r\n" + text(i)));
      if (i % 4 != 0) continue;
      ASSERT_THAT(clients[i]->read_response(), EndsWith("\r\n\r\nsecond"));
    }
  }
}

TEST(ReceivedBodyTest, a_client_that_leaves_before_its_held_answer_harms_nobody) {
  TestServer server(answer_from_what_came);
  RawClient stays(server.port());
  for (int round = 0; round < 50; ++round) {
    std::array<std::unique_ptr<RawClient>, 8> leavers;
    for (auto& leaver : leavers) leaver = std::make_unique<RawClient>(server.port());
    for (auto& leaver : leavers) leaver->send(post("/", "gone"));
    stays.send(post("/", "here"));
    for (auto& leaver : leavers) leaver->reset();
    ASSERT_THAT(stays.read_response(), EndsWith("\r\n\r\nhere"));
  }
}

}  // namespace
}  // namespace llm_edge_cache::http
