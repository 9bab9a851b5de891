#include "http/stream.hpp"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <array>
#include <atomic>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "tests/support/eventually.hpp"

namespace llm_edge_cache::http {
namespace {

namespace asio = boost::asio;
using llm_edge_cache::test::eventually;

// Reads on and on.
class Reader final : public StreamOwner {
 public:
  Reader(IoThread& thread, Socket socket) : stream_(make_plain_stream(thread, std::move(socket))) {}

  void read() { stream_->async_read(shared_from_this()); }
  Stream& stream() { return *stream_; }

  void on_read(IoError error, std::string_view bytes) override {
    {
      const std::lock_guard lock(mutex_);
      received_ += bytes;
    }
    if (error) {
      has_ended_ = true;
    } else {
      read();
    }
  }
  void on_written(IoError, std::size_t) override {}

  [[nodiscard]] std::string received() const {
    const std::lock_guard lock(mutex_);
    return received_;
  }
  [[nodiscard]] bool has_ended() const { return has_ended_; }

 private:
  const std::unique_ptr<Stream> stream_;
  mutable std::mutex mutex_;
  std::string received_;
  std::atomic<bool> has_ended_{false};
};

class PlainStreamTest : public ::testing::Test {
 protected:
  PlainStreamTest() {
    asio::ip::tcp::acceptor acceptor(context_, {asio::ip::address_v4::loopback(), 0});
    asio::ip::tcp::socket other(context_);
    peer_.connect(acceptor.local_endpoint());
    acceptor.accept(other);
    on_thread([&](IoThread& thread) {
      Socket socket(thread.context(), asio::ip::tcp::v4(), other.release());
      reader_ = std::make_shared<Reader>(thread, std::move(socket));
      reader_->read();
    });
  }
  ~PlainStreamTest() override {
    close();
    expect_end();
  }

  void on_thread(const std::function<void(IoThread&)>& task) { threads_.run_on_each(task); }
  void close() {
    on_thread([this](IoThread&) { reader_->stream().close(); });
  }
  void expect_end() {
    EXPECT_TRUE(eventually([this] { return reader_->has_ended(); }));
  }
  void send(std::string_view bytes) {
    sent_ += bytes;
    asio::write(peer_, asio::buffer(bytes));
  }
  void expect_all_received() {
    EXPECT_TRUE(eventually([this] { return reader_->received().size() >= sent_.size(); }));
    EXPECT_TRUE(reader_->received() == sent_);
  }

  IoThreads threads_{{.threads = 1}};
  asio::io_context context_;
  asio::ip::tcp::socket peer_{context_};
  std::shared_ptr<Reader> reader_;
  std::string sent_;
};

TEST_F(PlainStreamTest, delivers_what_comes_piece_by_piece) {
  for (const auto* piece : {"one", "two", "three"}) {
    send(piece);
    expect_all_received();
  }
}

TEST(PrepareSocketTest, a_peer_is_asked_whether_it_is_there_before_networks_forget_it) {
  asio::io_context context;
  asio::ip::tcp::socket socket(context, asio::ip::tcp::v4());
  prepare_socket(socket.native_handle());
  const auto value_of = [&](int level, int name) {
    int value = 0;
    socklen_t size = sizeof value;
    ::getsockopt(socket.native_handle(), level, name, &value, &size);
    return value;
  };
  EXPECT_EQ(value_of(SOL_SOCKET, SO_KEEPALIVE), 1);
  EXPECT_LE(value_of(IPPROTO_TCP, TCP_KEEPIDLE), 100);
  EXPECT_EQ(value_of(IPPROTO_TCP, TCP_NODELAY), 1);
}

TEST_F(PlainStreamTest, large_pieces_and_small_ones_keep_their_order) {
  for (int round = 0; round < 4; ++round) {
    send(std::string(100'000, static_cast<char>('a' + round)));
    send("small");
    expect_all_received();
    send("after it");
    expect_all_received();
  }
}

// What is small is copied into one piece, the rest goes to the kernel as it is.
TEST_F(PlainStreamTest, pieces_of_one_write_arrive_in_order_whatever_their_size) {
  for (const std::size_t size : {1U, 4'094U, 4'095U, 20'000U}) {
    const std::string body(size, 'b');
    std::size_t sent = 0;
    on_thread([&](IoThread&) {
      const std::array<asio::const_buffer, 2> pieces{asio::buffer("ab", 2), asio::buffer(body)};
      IoError error;
      sent = reader_->stream().write_some(pieces, error);
      EXPECT_FALSE(error);
    });
    EXPECT_EQ(sent, size + 2);
    std::string got(sent, '\0');
    asio::read(peer_, asio::buffer(got));
    EXPECT_EQ(got, "ab" + body);
  }
}

TEST_F(PlainStreamTest, hears_of_an_end_that_comes_with_the_last_bytes) {
  on_thread([this](IoThread&) {  // both are there before the thread looks
    send("last");
    peer_.close();
  });
  expect_all_received();
  expect_end();
}

TEST_F(PlainStreamTest, hears_of_an_end_after_the_last_bytes) {
  send("last");
  expect_all_received();
  peer_.shutdown(asio::ip::tcp::socket::shutdown_send);
  expect_end();
}

TEST_F(PlainStreamTest, reads_what_follows_urgent_data) {
  on_thread([this](IoThread&) {
    send("before");
    peer_.send(asio::buffer("!", 1), asio::socket_base::message_out_of_band);
    send("after");
  });
  expect_all_received();
}

TEST_F(PlainStreamTest, closing_ends_the_read) {
  send("some");
  expect_all_received();
  close();
  close();
  expect_end();
}

TEST_F(PlainStreamTest, nothing_is_read_once_it_is_closed) {
  on_thread([this](IoThread&) {
    send("too late");
    reader_->stream().close();
  });
  expect_end();
  EXPECT_EQ(reader_->received(), "");
}

TEST_F(PlainStreamTest, a_reset_is_seen_by_the_peer) {
  send("some");
  expect_all_received();
  on_thread([this](IoThread&) { reader_->stream().reset(); });
  char byte = 0;
  IoError error;
  static_cast<void>(peer_.read_some(asio::buffer(&byte, 1), error));
  EXPECT_EQ(error, asio::error::connection_reset);
}

TEST_F(PlainStreamTest, operations_after_close_fail) {
  close();
  expect_end();
  on_thread([this](IoThread&) {
    IoError error;
    const asio::const_buffer bytes("none", 4);
    EXPECT_EQ(reader_->stream().write_some({&bytes, 1}, error), 0U);
    EXPECT_TRUE(error);
  });
}

}  // namespace
}  // namespace llm_edge_cache::http
