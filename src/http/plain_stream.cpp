#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <cerrno>
#include <utility>

#include "http/socket_calls.hpp"
#include "http/socket_events.hpp"
#include "http/stream.hpp"

namespace llm_edge_cache::http {
namespace {

namespace asio = boost::asio;

IoError last_error() {
  return {errno, boost::system::system_category()};
}

// Its socket is no longer Asio's: it waits in the thread's SocketEvents, and reads into the
// thread's scratch once there is something to read. So it has no buffer, however long it waits.
class PlainStream final : public Stream, private SocketWatcher {
 public:
  PlainStream(IoThread& thread, Socket socket) : thread_(thread) {
    IoError ignored;  // a socket that is gone already fails its first read
    socket.non_blocking(true, ignored);
    socket_ = socket.release(ignored);
    prepare_socket(socket_);
    if (!thread_.socket_events().add(socket_, *this)) close_socket();
  }
  ~PlainStream() override {
    close_socket();
    thread_.socket_events().remove(*this);
  }
  PlainStream(const PlainStream&) = delete;
  PlainStream& operator=(const PlainStream&) = delete;

  void handshake(std::function<void(IoError)> done) override { done({}); }

  void async_read(std::shared_ptr<StreamOwner> owner) override {
    reader_ = std::move(owner);
    if (readable_) thread_.socket_events().call_soon(*this);
  }

  std::size_t write_some(std::span<const asio::const_buffer> buffers, IoError& error) override {
    ssize_t sent = 0;
    do {
      sent = is_small(buffers) ? send_joined(buffers) : send_parts(buffers);
    } while (sent < 0 && errno == EINTR);
    error = sent < 0 ? last_error() : IoError();
    if (error == asio::error::would_block) writable_ = false;
    return sent < 0 ? 0 : static_cast<std::size_t>(sent);
  }

  void async_write_some(std::span<const asio::const_buffer> buffers,
                        std::shared_ptr<StreamOwner> owner) override {
    to_write_ = buffers;
    writer_ = std::move(owner);
    if (writable_) thread_.socket_events().call_soon(*this);
  }

  void shutdown_send(std::shared_ptr<StreamOwner>) override { ::shutdown(socket_, SHUT_WR); }

  void reset() override {
    const linger at_once{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close();
  }

  bool is_quiet() override { return is_quiet_socket(socket_); }

  void close() override {
    close_socket();
    abort_operations();
  }

 private:
  static constexpr std::size_t kMaxBuffers = 8;  // of one call; the rest is written by the next
  // So few bytes are copied in less time than the kernel takes to look at a second part.
  static constexpr std::size_t kMaxJoinedBytes = 4 * 1024;

  static bool is_small(std::span<const asio::const_buffer> buffers) {
    std::size_t bytes = 0;
    for (const asio::const_buffer& buffer : buffers) bytes += buffer.size();
    return bytes <= kMaxJoinedBytes;
  }

  ssize_t send_joined(std::span<const asio::const_buffer> buffers) const {
    if (buffers.size() == 1) {
      return send_bytes(socket_, buffers.front().data(), buffers.front().size(), MSG_NOSIGNAL);
    }
    std::array<char, kMaxJoinedBytes> joined;  // not initialised: it is written right away
    const std::size_t size = asio::buffer_copy(asio::buffer(joined), buffers);
    return send_bytes(socket_, joined.data(), size, MSG_NOSIGNAL);
  }

  ssize_t send_parts(std::span<const asio::const_buffer> buffers) const {
    std::array<iovec, kMaxBuffers> parts;
    msghdr message{};
    message.msg_iov = parts.data();
    for (const asio::const_buffer& buffer : buffers.first(std::min(buffers.size(), kMaxBuffers))) {
      parts[message.msg_iovlen++] = {const_cast<void*>(buffer.data()), buffer.size()};
    }
    return ::sendmsg(socket_, &message, MSG_NOSIGNAL);
  }

  void on_ready(SocketReadiness ready) override {
    readable_ = readable_ || ready.readable;
    writable_ = writable_ || ready.writable;
    must_read_to_end_ = must_read_to_end_ || ready.is_last;
    const std::shared_ptr<StreamOwner> keeper = writer_;  // of this, too
    if (writable_ && writer_ != nullptr) write();
    if (readable_ && reader_ != nullptr) read();
  }

  void read() {
    const std::span<char> scratch = thread_.scratch();
    ssize_t got = 0;
    do {
      got = receive_bytes(socket_, scratch.data(), scratch.size());
    } while (got < 0 && errno == EINTR);
    IoError error;
    if (got < 0) error = last_error();
    if (error == asio::error::would_block) {
      readable_ = false;
      return;
    }
    if (got == 0) error = asio::error::eof;
    const auto bytes = static_cast<std::size_t>(std::max<ssize_t>(got, 0));
    // A short read has emptied the socket: what comes later is another event.
    if (bytes < scratch.size() && !must_read_to_end_) readable_ = false;
    const auto owner = std::exchange(reader_, nullptr);
    owner->on_read(error, {scratch.data(), bytes});
  }

  void write() {
    IoError error;
    const std::size_t sent = write_some(to_write_, error);
    if (error == asio::error::would_block) return;
    const auto owner = std::exchange(writer_, nullptr);
    owner->on_written(error, sent);
  }

  void close_socket() {
    if (socket_ < 0) return;
    thread_.socket_events().remove(*this);
    ::close(std::exchange(socket_, -1));
    readable_ = writable_ = true;  // operations fail at once
  }

  // Their owners hear of it later: they may be in the middle of something.
  void abort_operations() {
    if (reader_ == nullptr && writer_ == nullptr) return;
    thread_.post([reader = std::move(reader_), writer = std::move(writer_)] {
      if (reader != nullptr) reader->on_read(asio::error::operation_aborted, {});
      if (writer != nullptr) writer->on_written(asio::error::operation_aborted, 0);
    });
  }

  IoThread& thread_;
  int socket_ = -1;
  bool readable_ = false;  // unless a read has found it empty
  bool writable_ = false;
  bool must_read_to_end_ = false;
  std::shared_ptr<StreamOwner> reader_;
  std::shared_ptr<StreamOwner> writer_;
  std::span<const asio::const_buffer> to_write_;
};

}  // namespace

std::unique_ptr<Stream> make_plain_stream(IoThread& thread, Socket socket) {
  return std::make_unique<PlainStream>(thread, std::move(socket));
}

}  // namespace llm_edge_cache::http
