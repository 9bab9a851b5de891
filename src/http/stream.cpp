#include "http/stream.hpp"

#include <boost/asio/error.hpp>
#include <utility>

namespace llm_edge_cache::http {
namespace {

namespace asio = boost::asio;

// Asio takes a container of buffers; a span is one without a copy.
struct BufferSpan {
  using value_type = asio::const_buffer;
  using const_iterator = const asio::const_buffer*;
  std::span<const asio::const_buffer> buffers;
  [[nodiscard]] const_iterator begin() const { return buffers.data(); }
  [[nodiscard]] const_iterator end() const { return buffers.data() + buffers.size(); }
};

class PlainStream final : public Stream {
 public:
  PlainStream(IoThread& thread, Socket socket) : thread_(thread), socket_(std::move(socket)) {
    IoError ignored;  // a socket that is gone already fails its first read
    socket_.non_blocking(true, ignored);
    socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
  }

  void handshake(std::function<void(IoError)> done) override { done({}); }

  // Waits first and reads into the thread's scratch: an idle connection holds no buffer.
  void async_read(std::shared_ptr<StreamOwner> owner) override {
    socket_.async_wait(Socket::wait_read, [this, owner = std::move(owner)](IoError error) mutable {
      std::size_t bytes = 0;
      const std::span<char> scratch = thread_.scratch();
      if (!error) bytes = socket_.read_some(asio::buffer(scratch.data(), scratch.size()), error);
      if (error == asio::error::would_block) return async_read(std::move(owner));
      owner->on_read(error, std::string_view(scratch.data(), bytes));
    });
  }

  std::size_t write_some(std::span<const asio::const_buffer> buffers, IoError& error) override {
    return socket_.write_some(BufferSpan{buffers}, error);
  }

  void async_write_some(std::span<const asio::const_buffer> buffers,
                        std::shared_ptr<StreamOwner> owner) override {
    socket_.async_write_some(BufferSpan{buffers},
                             [owner = std::move(owner)](IoError error, std::size_t bytes) {
                               owner->on_written(error, bytes);
                             });
  }

  void shutdown_send(std::shared_ptr<StreamOwner>) override {
    IoError ignored;
    socket_.shutdown(Socket::shutdown_send, ignored);
  }

  void close() override {
    IoError ignored;
    socket_.close(ignored);
  }

  Socket& socket() override { return socket_; }

 private:
  IoThread& thread_;
  Socket socket_;
};

}  // namespace

void Stream::reset() {
  IoError ignored;
  socket().set_option(asio::socket_base::linger(true, 0), ignored);
  close();
}

bool Stream::is_clean_end(IoError error) {
  return error == asio::error::eof;
}

std::unique_ptr<Stream> make_plain_stream(IoThread& thread, Socket socket) {
  return std::make_unique<PlainStream>(thread, std::move(socket));
}

}  // namespace llm_edge_cache::http
