// What a server connection writes, write by write: its stream is the test's.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "http/server_connection.hpp"
#include "test_server.hpp"

namespace llm_edge_cache::http {
namespace {

namespace asio = boost::asio;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

struct Wire {
  std::vector<std::string> writes;
  std::size_t room = static_cast<std::size_t>(-1);  // that the socket has left
  std::shared_ptr<StreamOwner> reader;
  std::shared_ptr<StreamOwner> writer;
  bool was_reset = false;
};

class WireStream final : public Stream {
 public:
  explicit WireStream(std::shared_ptr<Wire> wire) : wire_(std::move(wire)) {}

  void handshake(std::function<void(IoError)> done) override { done({}); }
  void async_read(std::shared_ptr<StreamOwner> owner) override { wire_->reader = std::move(owner); }
  std::size_t write_some(std::span<const asio::const_buffer> buffers, IoError& error) override {
    std::string bytes;
    for (const auto& buffer : buffers) {
      bytes.append(static_cast<const char*>(buffer.data()), buffer.size());
    }
    bytes.resize(std::min(bytes.size(), wire_->room));
    wire_->room -= bytes.size();
    if (bytes.empty()) error = asio::error::would_block;
    if (!bytes.empty()) wire_->writes.push_back(bytes);
    return bytes.size();
  }
  void async_write_some(std::span<const asio::const_buffer>,
                        std::shared_ptr<StreamOwner> owner) override {
    wire_->writer = std::move(owner);
  }
  void shutdown_send(std::shared_ptr<StreamOwner>) override {}
  void close() override {
    wire_->reader = nullptr;
    wire_->writer = nullptr;
  }
  void reset() override { wire_->was_reset = true; }
  bool is_quiet() override { return true; }

 private:
  const std::shared_ptr<Wire> wire_;
};

class AnswerPartTest : public ::testing::Test {
 protected:
  // Answers one request as `answer` does and returns what became of it.
  Wire after(const std::string& request, const std::function<void(Exchange&)>& answer,
             ServerOptions options = {}, std::size_t room = static_cast<std::size_t>(-1)) {
    const auto wire = std::make_shared<Wire>();
    wire->room = room;
    threads_.run_on_each([&](IoThread& thread) {
      const auto shared = std::make_shared<ServerShared>();
      shared->options = options;
      shared->handler = std::make_shared<FunctionHandler>(
          [&](const ExchangePtr& exchange) { answer(*exchange); });
      const auto connection = std::make_shared<ServerConnection>(
          std::make_unique<WireStream>(wire), ServerConnectionContext{thread, shared, "127.0.0.1"},
          [] {});
      connection->start();
      const auto reader = std::exchange(wire->reader, nullptr);
      reader->on_read({}, request);
      connection->cut();
    });
    return *wire;
  }

  static ResponseHead with_length(std::string_view length) {
    ResponseHead head;
    head.headers.add("Content-Length", length);
    return head;
  }

  IoThreads threads_{{.threads = 1}};
  const std::array<SharedBytes, 2> two_{SharedBytes("first"), SharedBytes("second")};
};

TEST_F(AnswerPartTest, a_whole_chunked_answer_is_one_write) {
  const auto wire = after(get("/"), [&](Exchange& exchange) {
    const ResponseHead head;
    EXPECT_EQ(exchange.write({.head = &head, .pieces = two_, .is_last = true}), WriteResult::kSent);
    EXPECT_TRUE(exchange.ended());
    EXPECT_EQ(exchange.answer_status(), 200);
    EXPECT_EQ(exchange.answer_bytes(), 11U);
  });
  ASSERT_EQ(wire.writes.size(), 1U);
  EXPECT_THAT(wire.writes[0],
              AllOf(StartsWith("HTTP/1.1 200 OK\r\n"), HasSubstr("Transfer-Encoding: chunked\r\n"),
                    EndsWith("\r\n\r\n5\r\nfirst\r\n6\r\nsecond\r\n0\r\n\r\n")));
}

TEST_F(AnswerPartTest, a_whole_answer_of_known_length_is_one_write) {
  const auto wire = after(get("/"), [&](Exchange& exchange) {
    const auto head = with_length("11");
    EXPECT_EQ(exchange.write({.head = &head, .pieces = two_, .is_last = true}), WriteResult::kSent);
  });
  ASSERT_EQ(wire.writes.size(), 1U);
  EXPECT_THAT(wire.writes[0], EndsWith("Content-Length: 11\r\n\r\nfirstsecond"));
}

TEST_F(AnswerPartTest, parts_follow_each_other) {
  const auto wire = after(get("/"), [&](Exchange& exchange) {
    const ResponseHead head;
    EXPECT_EQ(exchange.write({.head = &head}), WriteResult::kSent);
    EXPECT_EQ(exchange.write({.pieces = {two_.data(), 1}}), WriteResult::kSent);
    EXPECT_EQ(exchange.write(AnswerPart()), WriteResult::kSent);
    EXPECT_EQ(exchange.write({.is_last = true}), WriteResult::kSent);
    EXPECT_EQ(exchange.write({.is_last = true}), WriteResult::kClosed);
  });
  EXPECT_THAT(wire.writes, ElementsAre(EndsWith("chunked\r\n\r\n"), "5\r\nfirst\r\n", "0\r\n\r\n"));
}

TEST_F(AnswerPartTest, the_answer_to_head_ends_with_its_head) {
  const auto wire = after("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n", [&](Exchange& exchange) {
    const ResponseHead head;
    EXPECT_EQ(exchange.write({.head = &head, .pieces = two_, .is_last = true}), WriteResult::kSent);
  });
  EXPECT_THAT(wire.writes, ElementsAre(EndsWith("chunked\r\n\r\n")));
}

TEST_F(AnswerPartTest, one_that_is_not_as_long_as_it_says_is_cut) {
  for (const auto* length : {"10", "12"}) {
    const auto wire = after(get("/"), [&](Exchange& exchange) {
      const auto head = with_length(length);
      EXPECT_EQ(exchange.write({.head = &head, .pieces = two_, .is_last = true}),
                WriteResult::kClosed);
      EXPECT_TRUE(exchange.ended());
    });
    EXPECT_TRUE(wire.was_reset) << length;
    EXPECT_THAT(wire.writes, IsEmpty()) << length;
  }
}

TEST_F(AnswerPartTest, a_head_comes_once_and_first) {
  const auto wire = after(get("/"), [&](Exchange& exchange) {
    EXPECT_EQ(exchange.write({.pieces = two_}), WriteResult::kClosed);
    const ResponseHead head;
    EXPECT_EQ(exchange.write({.head = &head}), WriteResult::kSent);
    EXPECT_EQ(exchange.write({.head = &head, .pieces = two_}), WriteResult::kClosed);
    exchange.finish();
  });
  EXPECT_THAT(wire.writes, ElementsAre(Not(HasSubstr("first")), "0\r\n\r\n"));
}

TEST_F(AnswerPartTest, a_field_that_would_split_it_makes_it_an_error) {
  const auto wire = after(get("/"), [&](Exchange& exchange) {
    ResponseHead head;
    head.headers.add("X", "a\r\nb");
    EXPECT_EQ(exchange.write({.head = &head, .pieces = two_, .is_last = true}),
              WriteResult::kClosed);
    EXPECT_TRUE(exchange.ended());
  });
  ASSERT_EQ(wire.writes.size(), 1U);
  EXPECT_THAT(wire.writes[0], AllOf(StartsWith("HTTP/1.1 500 "), Not(HasSubstr("first"))));
}

TEST_F(AnswerPartTest, what_the_socket_does_not_take_waits_and_ends_nothing_early) {
  const auto wire = after(
      get("/"),
      [&](Exchange& exchange) {
        const ResponseHead head;
        EXPECT_EQ(exchange.write({.head = &head, .pieces = two_}), WriteResult::kQueued);
        EXPECT_EQ(exchange.write({.is_last = true}), WriteResult::kQueued);
        EXPECT_TRUE(exchange.ended());
      },
      {}, 20);
  EXPECT_THAT(wire.writes, ElementsAre("HTTP/1.1 200 OK\r\nDat"));
  EXPECT_TRUE(wire.was_reset);  // by the test; until then it was being flushed
}

TEST_F(AnswerPartTest, one_over_the_bound_of_the_queue_is_cut) {
  ServerOptions options;
  options.max_write_queue_bytes = 100;
  const std::array<SharedBytes, 1> large{SharedBytes(std::string(200, 'x'))};
  const auto wire = after(
      get("/"),
      [&](Exchange& exchange) {
        const ResponseHead head;
        EXPECT_EQ(exchange.write({.head = &head, .pieces = large}), WriteResult::kClosed);
        EXPECT_TRUE(exchange.ended());
      },
      options, 50);
  EXPECT_TRUE(wire.was_reset);
}

}  // namespace
}  // namespace llm_edge_cache::http
