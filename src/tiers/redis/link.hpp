// One attempt at a connection, over TCP, TLS or a unix socket: resolves, connects, shakes hands,
// then carries the bytes of a Session both ways until one side closes.
//
// Everything happens on the thread of the io_context. A link keeps itself alive while an operation
// of its own is under way; after close() it calls nobody any more.
#pragma once

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "net/tls_client.hpp"
#include "tiers/redis/read_buffer.hpp"
#include "tiers/redis/server_address.hpp"
#include "tiers/redis/session.hpp"

namespace llm_edge_cache::redis {

// How to speak TLS; without a context, plainly.
struct LinkTls {
  net::TlsContextPtr context{};
  std::string server_name{};  // empty: the host that is connected to
  bool verify_peer = true;
};

class Link : public std::enable_shared_from_this<Link> {
 public:
  class Owner {
   public:
    virtual ~Owner() = default;
    // The session has been fed: it may have become ready, and commands may have ended.
    virtual void on_received() = 0;
    // What was taken to be written has been written.
    virtual void on_written() = 0;
    // Once, and the last call: no connection, or none any more. The session is not closed yet.
    virtual void on_lost(const Error& error) = 0;
  };

  // The session is given; whoever made the link outlives it, or its close().
  Link(boost::asio::io_context& context, ServerAddress address, LinkTls tls, Session session,
       Owner& owner);

  void start();
  // Writes what the session has to send, all of it at once, unless a write is under way: then
  // on_written() tells when it is time to call again.
  void write();
  void close();

  [[nodiscard]] Session& session() { return session_; }
  // Bytes on their way to the socket, and behind them.
  [[nodiscard]] std::size_t unwritten_bytes() { return writing_.size() + session_.output().size(); }

 private:
  using Socket = boost::asio::generic::stream_protocol::socket;
  using Endpoint = boost::asio::generic::stream_protocol::endpoint;
  using TlsStream = boost::asio::ssl::stream<Socket&>;
  using ErrorInfo = boost::system::error_code;

  void resolve();
  void connect(std::size_t index);
  void on_connected();
  void shake_hands();
  void on_shaken_hands(ErrorInfo error);
  void begin();
  void on_written(ErrorInfo error);
  void read();
  void on_read(ErrorInfo error, std::size_t bytes);
  void lose(const std::string& why, ErrorCode code = ErrorCode::kUnavailable);

  const ServerAddress address_;
  const LinkTls tls_;
  Owner* owner_;  // null once closed or lost
  Session session_;
  Socket socket_;
  std::unique_ptr<TlsStream> tls_stream_;  // null: plain
  boost::asio::ip::tcp::resolver resolver_;
  std::vector<Endpoint> endpoints_;
  ReadBuffer buffer_;
  std::string writing_;
  bool connected_ = false;
};

}  // namespace llm_edge_cache::redis
