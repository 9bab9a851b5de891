#include "http/stream.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/ip/tcp.hpp>
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
class Reader final : public StreamOwner, public std::enable_shared_from_this<Reader> {
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
    on_thread([this](IoThread&) { reader_->stream().close(); });
    EXPECT_TRUE(eventually([this] { return reader_->has_ended(); }));
  }

  void on_thread(const std::function<void(IoThread&)>& task) { threads_.run_on_each(task); }
  void rest() {
    on_thread([this](IoThread&) { reader_->stream().rest(); });
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

TEST_F(PlainStreamTest, goes_on_after_a_rest) {
  for (int round = 0; round < 3; ++round) {
    send("in use");
    expect_all_received();
    rest();
    rest();
    send("woken");
    expect_all_received();
  }
}

TEST_F(PlainStreamTest, may_rest_before_anything_came) {
  rest();
  send("first");
  expect_all_received();
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

TEST_F(PlainStreamTest, a_stream_at_rest_hears_of_the_end) {
  send("last");
  expect_all_received();
  rest();
  peer_.close();
  EXPECT_TRUE(eventually([this] { return reader_->has_ended(); }));
}

TEST_F(PlainStreamTest, closing_on_the_way_to_rest_ends_the_read) {
  send("some");
  expect_all_received();
  on_thread([this](IoThread&) {
    reader_->stream().rest();
    reader_->stream().close();
  });
  EXPECT_TRUE(eventually([this] { return reader_->has_ended(); }));
}

}  // namespace
}  // namespace llm_edge_cache::http
