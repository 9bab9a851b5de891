// One attempt at a connection, over TCP or a unix socket: resolves, connects, then carries the
// bytes of a Session both ways until one side closes.
//
// Everything happens on the thread of the io_context. A link keeps itself alive while an operation
// of its own is under way; after close() it calls nobody any more.
#pragma once

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "tiers/redis/read_buffer.hpp"
#include "tiers/redis/redis_url.hpp"
#include "tiers/redis/session.hpp"

namespace llm_edge_cache::redis {

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

  // url, breaker and owner outlive the link, or its close().
  Link(boost::asio::io_context& context, const RedisUrl& url, const Session::Options& options,
       CircuitBreaker& breaker, Owner& owner);

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

  void resolve();
  void connect(std::size_t index);
  void on_connected();
  void read();
  void on_read(std::size_t bytes);
  void lose(ErrorCode code, const std::string& why);

  const RedisUrl& url_;
  Owner* owner_;  // null once closed or lost
  Session session_;
  Socket socket_;
  boost::asio::ip::tcp::resolver resolver_;
  std::vector<Endpoint> endpoints_;
  ReadBuffer buffer_;
  std::string writing_;
  bool connected_ = false;
};

}  // namespace llm_edge_cache::redis
