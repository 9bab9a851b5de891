#include "tiers/redis/link.hpp"

#include <boost/asio/ip/address.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/socket_base.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <utility>

namespace llm_edge_cache::redis {

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

// Output buffers keep at most this much between two writes.
constexpr std::size_t kMaxIdleOutputBytes = 1U << 20U;
constexpr std::size_t kMinReadBytes = 16U << 10U;

}  // namespace

Link::Link(asio::io_context& context, ServerAddress address, LinkTls tls, Session session,
           Owner& owner)
    : address_(std::move(address)),
      tls_(std::move(tls)),
      owner_(&owner),
      session_(std::move(session)),
      socket_(context),
      resolver_(context) {}

void Link::start() {
  if (address_.is_unix_socket()) {
    endpoints_ = {asio::local::stream_protocol::endpoint(address_.path)};
    return connect(0);
  }
  ErrorInfo not_numeric;
  const auto address = asio::ip::make_address(address_.host, not_numeric);
  if (not_numeric) return resolve();
  endpoints_ = {tcp::endpoint(address, address_.port)};
  connect(0);
}

void Link::resolve() {
  resolver_.async_resolve(
      address_.host, std::to_string(address_.port),
      [self = shared_from_this()](ErrorInfo error, const tcp::resolver::results_type& results) {
        if (self->owner_ == nullptr) return;
        if (error) {
          return self->lose("cannot resolve " + self->address_.host + ": " + error.message());
        }
        for (const auto& entry : results) self->endpoints_.emplace_back(entry.endpoint());
        self->connect(0);
      });
}

void Link::connect(std::size_t index) {
  ErrorInfo ignored;
  socket_.close(ignored);
  socket_.async_connect(endpoints_[index], [self = shared_from_this(), index](ErrorInfo error) {
    if (self->owner_ == nullptr) return;
    if (!error) return self->on_connected();
    if (index + 1 < self->endpoints_.size()) return self->connect(index + 1);
    self->lose("cannot connect to " + self->address_.to_string() + ": " + error.message());
  });
}

void Link::on_connected() {
  ErrorInfo ignored;
  if (!address_.is_unix_socket()) {
    socket_.set_option(tcp::no_delay(true), ignored);
    socket_.set_option(asio::socket_base::keep_alive(true), ignored);
  }
  if (tls_.context != nullptr) return shake_hands();
  begin();
}

void Link::shake_hands() {
  tls_stream_ = std::make_unique<TlsStream>(socket_, *tls_.context);
  const Status prepared = net::prepare_tls_client(
      tls_stream_->native_handle(), tls_.server_name.empty() ? address_.host : tls_.server_name,
      tls_.verify_peer);
  if (!prepared) {
    return lose("no TLS with " + address_.to_string() + ": " + prepared.error().message,
                ErrorCode::kProtocol);
  }
  tls_stream_->async_handshake(
      asio::ssl::stream_base::client,
      [self = shared_from_this()](ErrorInfo error) { self->on_shaken_hands(error); });
}

void Link::on_shaken_hands(ErrorInfo error) {
  if (owner_ == nullptr) return;
  if (!error) return begin();
  const std::string refused = net::tls_verify_failure(tls_stream_->native_handle());
  const std::string prefix = "no TLS with " + address_.to_string() + ": ";
  if (refused.empty()) return lose(prefix + error.message());
  lose(prefix + "its certificate is refused: " + refused, ErrorCode::kProtocol);
}

void Link::begin() {
  connected_ = true;
  write();
  read();
}

void Link::write() {
  std::string& output = session_.output();
  if (!connected_ || !writing_.empty() || output.empty()) return;
  writing_.swap(output);
  auto done = [self = shared_from_this()](ErrorInfo error, std::size_t) {
    self->on_written(error);
  };
  if (tls_stream_ != nullptr) {
    asio::async_write(*tls_stream_, asio::buffer(writing_), std::move(done));
  } else {
    asio::async_write(socket_, asio::buffer(writing_), std::move(done));
  }
}

void Link::on_written(ErrorInfo error) {
  if (owner_ == nullptr) return;
  if (error) return lose("connection lost: " + error.message());
  writing_.clear();
  if (writing_.capacity() > kMaxIdleOutputBytes) writing_ = std::string();
  owner_->on_written();
}

void Link::read() {
  const std::size_t missing = buffer_.data().empty() ? 0 : session_.bytes_missing();
  const auto room = buffer_.prepare(std::max(kMinReadBytes, missing));
  auto done = [self = shared_from_this()](ErrorInfo error, std::size_t bytes) {
    self->on_read(error, bytes);
  };
  if (tls_stream_ != nullptr) {
    tls_stream_->async_read_some(asio::buffer(room.data(), room.size()), std::move(done));
  } else {
    socket_.async_read_some(asio::buffer(room.data(), room.size()), std::move(done));
  }
}

void Link::on_read(ErrorInfo error, std::size_t bytes) {
  if (owner_ == nullptr) return;
  if (error == asio::error::eof || error == asio::ssl::error::stream_truncated) {
    return lose("the server closed the connection");
  }
  if (error) return lose("connection lost: " + error.message());
  buffer_.commit(bytes);
  buffer_.consume(session_.receive(buffer_.data(), now()));
  if (owner_ == nullptr) return;
  if (session_.state() == Session::State::kBroken) {
    return lose(session_.error().message, session_.error().code);
  }
  owner_->on_received();
  if (owner_ != nullptr) read();
}

void Link::lose(const std::string& why, ErrorCode code) {
  Owner* const owner = owner_;
  close();
  owner->on_lost({code, why.starts_with("redis: ") ? why : "redis: " + why});
}

void Link::close() {
  owner_ = nullptr;
  connected_ = false;
  ErrorInfo ignored;
  resolver_.cancel();
  socket_.close(ignored);
}

}  // namespace llm_edge_cache::redis
