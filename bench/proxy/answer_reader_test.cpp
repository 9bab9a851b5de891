#include "bench/proxy/answer_reader.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <optional>
#include <string>
#include <string_view>

#include "bench/proxy/connection.hpp"
#include "tests/support/scripted_server.hpp"

namespace llm_edge_cache::bench {
namespace {

using Progress = AnswerReader::Progress;

constexpr std::string_view kPlain = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello";
constexpr std::string_view kChunked =
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    "3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\n\r\n";

// A server that answers the first request with `answer` and closes on the second.
class AnswerReaderTest : public ::testing::Test {
 protected:
  void serve(std::string answer) {
    server_.emplace([answer = std::move(answer)](std::string_view asked) {
      return test::ScriptedServer::Action{.send = answer, .close = asked.starts_with("close")};
    });
    connection_ = Connection(server_->port(), Connection::Mode::kBlocking);
  }

  Progress ask(std::string* body, std::string_view request = "more") {
    reader_.start(body);
    connection_.send(request);
    return reader_.read(connection_.fd());
  }

  std::optional<test::ScriptedServer> server_;
  Connection connection_;
  AnswerReader reader_;
};

TEST_F(AnswerReaderTest, reads_answers_of_a_known_length) {
  serve(std::string(kPlain));
  for (int i = 0; i < 3; ++i) {
    std::string body;
    ASSERT_EQ(ask(&body), Progress::kDone);
    EXPECT_EQ(body, "hello");
    EXPECT_EQ(reader_.status(), 200);
    EXPECT_EQ(reader_.body_bytes(), 5u);
  }
}

TEST_F(AnswerReaderTest, joins_chunks) {
  serve(std::string(kChunked));
  for (int i = 0; i < 3; ++i) {
    std::string body;
    ASSERT_EQ(ask(&body), Progress::kDone);
    EXPECT_EQ(body, "hello");
  }
}

TEST_F(AnswerReaderTest, counts_what_it_drops) {
  serve("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + std::string(100'000, 'x'));
  for (int i = 0; i < 3; ++i) {
    ASSERT_EQ(ask(nullptr), Progress::kDone);
    EXPECT_EQ(reader_.body_bytes(), 100'000u);
  }
  std::string body;
  ASSERT_EQ(ask(&body), Progress::kDone);
  EXPECT_EQ(body, std::string(100'000, 'x'));
}

TEST_F(AnswerReaderTest, drops_chunks_larger_than_its_buffer) {
  serve("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4e20\r\n" + std::string(20'000, 'x') +
        "\r\n1\r\ny\r\n0\r\n\r\n");
  for (int i = 0; i < 3; ++i) {
    ASSERT_EQ(ask(nullptr), Progress::kDone);
    EXPECT_EQ(reader_.body_bytes(), 20'001u);
  }
}

TEST_F(AnswerReaderTest, takes_an_empty_body) {
  serve("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
  ASSERT_EQ(ask(nullptr), Progress::kDone);
  EXPECT_EQ(reader_.status(), 404);
}

TEST_F(AnswerReaderTest, waits_for_what_is_cut_off_anywhere) {
  for (const auto answer : {kPlain, kChunked}) {
    for (std::size_t cut = 1; cut < answer.size(); ++cut) {
      server_.emplace([&, sent = false](std::string_view) mutable {
        const auto part = sent ? answer.substr(cut) : answer.substr(0, cut);
        sent = true;
        return test::ScriptedServer::Action{.send = std::string(part)};
      });
      const Connection connection(server_->port(), Connection::Mode::kNonBlocking);
      AnswerReader reader;
      std::string body;
      reader.start(&body);
      connection.send("first half");
      // So that it has come before it is read.
      char byte = 0;
      while (::recv(connection.fd(), &byte, 1, MSG_PEEK) != 1) {
      }
      Progress progress = reader.read(connection.fd());
      ASSERT_EQ(progress, Progress::kMore) << cut;
      connection.send("second half");
      while (progress == Progress::kMore) progress = reader.read(connection.fd());
      ASSERT_EQ(progress, Progress::kDone) << cut;
      EXPECT_EQ(body, "hello");
    }
  }
}

TEST_F(AnswerReaderTest, says_when_the_connection_ends_too_early) {
  serve("HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello");
  EXPECT_EQ(ask(nullptr, "close"), Progress::kBroken);
}

TEST_F(AnswerReaderTest, says_when_it_is_no_answer) {
  for (const std::string answer : {
           "SSH-2.0\r\n\r\n",
           "HTTP/1.1 200 OK\r\nContent-Length: five\r\n\r\nhello",
           "HTTP/1.1 200 OK\r\n\r\nhello",
           "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nhello\r\n",
           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n",
           "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello and more",
       }) {
    serve(answer);
    reader_ = AnswerReader();
    std::string body;
    EXPECT_EQ(ask(&body), Progress::kBroken) << answer;
  }
  serve(std::string(5'000, 'x'));
  reader_ = AnswerReader();
  EXPECT_EQ(ask(nullptr), Progress::kBroken);
}

}  // namespace
}  // namespace llm_edge_cache::bench
