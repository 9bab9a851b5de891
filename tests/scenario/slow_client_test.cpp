// Clients that send slowly, wrongly, or too much.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/scenario/program.hpp"
#include "tests/scenario/raw_client.hpp"

namespace llm_edge_cache::test {
namespace {

using ::testing::HasSubstr;

class SlowClientTest : public ::testing::Test {
 protected:
  Program mock_{{"mock-provider", "--listen", "127.0.0.1:0"}};
  Program proxy_{
      serve_arguments(mock_.url(), {"--header-timeout-ms", "100", "--body-timeout-ms", "100",
                                    "--max-body-bytes", "4096", "--max-header-bytes", "2048"})};
};

TEST_F(SlowClientTest, a_head_that_does_not_end_is_408) {
  RawClient client(proxy_.address("listen"));
  client.send("POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\n");
  const auto answer = client.read_answer();
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->status, 408);
  EXPECT_TRUE(client.is_closed_by_server());
}

TEST_F(SlowClientTest, a_body_that_does_not_end_is_408_in_the_shape_of_the_api) {
  RawClient client(proxy_.address("listen"));
  const auto request = chat_request("never whole");
  client.send(request.substr(0, request.size() - 5));
  const auto answer = client.read_answer();
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->status, 408);
  EXPECT_THAT(answer->body, HasSubstr("\"error\""));
}

TEST_F(SlowClientTest, a_request_in_single_bytes_is_a_request) {
  // Faster than its deadlines, slower than a segment a message.
  Program patient(serve_arguments(mock_.url()));
  RawClient client(patient.address("listen"));
  for (const char byte : chat_request("byte by byte")) client.send({&byte, 1});
  const auto answer = client.read_answer();
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->status, 200);
}

TEST_F(SlowClientTest, too_much_is_refused) {
  EXPECT_EQ(ask_chat(proxy_.address("listen"), std::string(5'000, 'x')).status, 413);
  EXPECT_EQ(ask(proxy_.address("listen"),
                "GET / HTTP/1.1\r\nHost: x\r\nA: " + std::string(3'000, 'y') + "\r\n\r\n")
                .status,
            431);
}

TEST_F(SlowClientTest, pipelined_requests_are_answered_in_order) {
  Program patient(serve_arguments(mock_.url()));
  RawClient client(patient.address("listen"));
  client.send(chat_request("first") + chat_request("second") + chat_request("first"));
  const auto first = client.read_answer();
  const auto second = client.read_answer();
  const auto third = client.read_answer();
  ASSERT_TRUE(first && second && third);
  EXPECT_THAT(first->body, HasSubstr("first"));
  EXPECT_THAT(second->body, HasSubstr("second"));
  EXPECT_EQ(third->body, first->body);
  EXPECT_THAT(third->field("cache-status"), HasSubstr("; hit;"));
}

TEST_F(SlowClientTest, a_client_that_expects_100_continue_gets_it) {
  RawClient client(proxy_.address("listen"));
  auto request = chat_request("may I?");
  const auto body_at = request.find("\r\n\r\n") + 4;
  const auto body = request.substr(body_at);
  request.resize(body_at - 2);
  client.send(request + "Expect: 100-continue\r\n\r\n");
  EXPECT_TRUE(client.takes("HTTP/1.1 100 Continue\r\n\r\n"));
  client.send(body);
  const auto answer = client.read_answer();
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->status, 200);
}

}  // namespace
}  // namespace llm_edge_cache::test
