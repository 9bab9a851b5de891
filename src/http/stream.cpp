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

  // Each wait for a socket is a system call of Asio's, a read under way is none. So a stream that
  // is in use reads into a buffer of its own, and one that rests waits, without a buffer.
  void async_read(std::shared_ptr<StreamOwner> owner) override {
    if (buffer_ == nullptr) return wait_and_read(std::move(owner));
    socket_.async_read_some(
        asio::buffer(buffer_.get(), kBufferBytes),
        [this, owner = std::move(owner)](IoError error, std::size_t bytes) mutable {
          if (error == asio::error::operation_aborted && std::exchange(going_to_rest_, false)) {
            buffer_.reset();
            return wait_and_read(std::move(owner));
          }
          going_to_rest_ = false;
          // What comes in large pieces is better read through the scratch, which is larger.
          const auto filled = bytes == kBufferBytes ? std::move(buffer_) : nullptr;
          owner->on_read(error, {filled != nullptr ? filled.get() : buffer_.get(), bytes});
        });
  }

  void rest() override {
    if (buffer_ == nullptr || going_to_rest_) return;
    going_to_rest_ = true;
    IoError ignored;
    socket_.cancel(ignored);
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
    going_to_rest_ = false;
    IoError ignored;
    socket_.close(ignored);
  }

  Socket& socket() override { return socket_; }

 private:
  // Enough for a request of the usual size.
  static constexpr std::size_t kBufferBytes = 8 * 1024;

  void wait_and_read(std::shared_ptr<StreamOwner> owner) {
    socket_.async_wait(Socket::wait_read, [this, owner = std::move(owner)](IoError error) mutable {
      std::size_t bytes = 0;
      const std::span<char> scratch = thread_.scratch();
      if (!error) bytes = socket_.read_some(asio::buffer(scratch.data(), scratch.size()), error);
      if (error == asio::error::would_block) return wait_and_read(std::move(owner));
      if (!error && bytes < kBufferBytes) {
        buffer_ = std::make_unique_for_overwrite<char[]>(kBufferBytes);
      }
      owner->on_read(error, std::string_view(scratch.data(), bytes));
    });
  }

  IoThread& thread_;
  Socket socket_;
  std::unique_ptr<char[]> buffer_;
  bool going_to_rest_ = false;
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
