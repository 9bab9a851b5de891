// A connected byte stream, plain or TLS, as a connection uses it: one read and one write at a time.
#pragma once

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/system/error_code.hpp>
#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "http/io_threads.hpp"

namespace llm_edge_cache::http {

using Socket = boost::asio::basic_stream_socket<boost::asio::ip::tcp, IoThread::Executor>;
using IoError = boost::system::error_code;

// Owner of a stream. An operation under way holds its owner.
class StreamOwner : public std::enable_shared_from_this<StreamOwner> {
 public:
  virtual ~StreamOwner() = default;
  // bytes lie in shared memory and are gone when this returns; empty with an error.
  virtual void on_read(IoError error, std::string_view bytes) = 0;
  virtual void on_written(IoError error, std::size_t bytes) = 0;
};

// On the thread of its socket only. Errors after close() are operation_aborted.
class Stream {
 public:
  virtual ~Stream() = default;

  // Ready for reads and writes when it calls back. Plain: at once.
  virtual void handshake(std::function<void(IoError)> done) = 0;
  virtual void async_read(std::shared_ptr<StreamOwner> owner) = 0;
  // What is taken at once, without waiting: 0 and would_block for nothing.
  virtual std::size_t write_some(std::span<const boost::asio::const_buffer> buffers,
                                 IoError& error) = 0;
  // Waits until some bytes could be written. The buffers and their bytes must stay until then.
  virtual void async_write_some(std::span<const boost::asio::const_buffer> buffers,
                                std::shared_ptr<StreamOwner> owner) = 0;
  // Says that nothing more will be sent. TLS: what is read from then on is ciphertext, to be
  // counted and thrown away; on_read tells the end once the peer has agreed.
  virtual void shutdown_send(std::shared_ptr<StreamOwner> owner) = 0;
  // Idempotent.
  virtual void close() = 0;
  // close() that the peer sees as a reset.
  virtual void reset() = 0;
  // True for the error of a read at a clean end. A TLS stream that ends without close_notify was
  // perhaps cut by somebody else, and is not clean.
  [[nodiscard]] static bool is_clean_end(IoError error);
  // False where bytes, or the end, lie in the kernel that no read has come to.
  [[nodiscard]] virtual bool is_quiet() = 0;
  // Why a certificate was refused; empty when that is not what failed.
  [[nodiscard]] virtual std::string verify_failure() const { return {}; }
};

// What is_quiet() says of a socket.
[[nodiscard]] bool is_quiet_socket(int descriptor);
// For a stream of either kind: Nagle's algorithm is off, and a peer is asked after a minute of
// silence whether it is there. Networks forget connections on which a model thinks for minutes, and
// tell nobody. A socket that is gone fails later.
void prepare_socket(int descriptor);

// Both make the socket non-blocking and prepare it. The thread is the socket's.
[[nodiscard]] std::unique_ptr<Stream> make_plain_stream(IoThread& thread, Socket socket);

enum class TlsRole { kServer, kClient };
struct TlsStreamOptions {
  TlsRole role = TlsRole::kServer;
  std::string host{};       // client: for SNI and verification
  bool verify_peer = true;  // client
};
[[nodiscard]] std::unique_ptr<Stream> make_tls_stream(
    Socket socket, std::shared_ptr<boost::asio::ssl::context> context,
    const TlsStreamOptions& options);

}  // namespace llm_edge_cache::http
