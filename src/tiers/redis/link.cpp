#include "tiers/redis/link.hpp"

#include <boost/asio/ip/address.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/socket_base.hpp>
#include <boost/asio/write.hpp>
#include <chrono>

namespace llm_edge_cache::redis {

namespace asio = boost::asio;
using asio::ip::tcp;
using ErrorInfo = boost::system::error_code;

namespace {

// Output buffers keep at most this much between two writes.
constexpr std::size_t kMaxIdleOutputBytes = 1U << 20U;
constexpr std::size_t kMinReadBytes = 16U << 10U;

}  // namespace

Link::Link(asio::io_context& context, const RedisUrl& url, const Session::Options& options,
           CircuitBreaker& breaker, Owner& owner)
    : url_(url), owner_(&owner), session_(options, breaker), socket_(context), resolver_(context) {}

void Link::start() {
  if (url_.transport == RedisUrl::Transport::kUnixSocket) {
    endpoints_ = {asio::local::stream_protocol::endpoint(url_.path)};
    return connect(0);
  }
  ErrorInfo not_numeric;
  const auto address = asio::ip::make_address(url_.host, not_numeric);
  if (not_numeric) return resolve();
  endpoints_ = {tcp::endpoint(address, url_.port)};
  connect(0);
}

void Link::resolve() {
  resolver_.async_resolve(
      url_.host, std::to_string(url_.port),
      [self = shared_from_this()](ErrorInfo error, const tcp::resolver::results_type& results) {
        if (self->owner_ == nullptr) return;
        if (error) {
          return self->lose(ErrorCode::kUnavailable,
                            "cannot resolve " + self->url_.host + ": " + error.message());
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
    self->lose(ErrorCode::kUnavailable,
               "cannot connect to " + self->url_.to_string() + ": " + error.message());
  });
}

void Link::on_connected() {
  connected_ = true;
  ErrorInfo ignored;
  if (url_.transport == RedisUrl::Transport::kTcp) {
    socket_.set_option(tcp::no_delay(true), ignored);
    socket_.set_option(asio::socket_base::keep_alive(true), ignored);
  }
  write();
  read();
}

void Link::write() {
  std::string& output = session_.output();
  if (!connected_ || !writing_.empty() || output.empty()) return;
  writing_.swap(output);
  asio::async_write(
      socket_, asio::buffer(writing_), [self = shared_from_this()](ErrorInfo error, std::size_t) {
        if (self->owner_ == nullptr) return;
        if (error) {
          return self->lose(ErrorCode::kUnavailable, "connection lost: " + error.message());
        }
        self->writing_.clear();
        if (self->writing_.capacity() > kMaxIdleOutputBytes) {
          self->writing_ = std::string();
        }
        self->owner_->on_written();
      });
}

void Link::read() {
  const std::size_t missing = buffer_.data().empty() ? 0 : session_.bytes_missing();
  const auto room = buffer_.prepare(std::max(kMinReadBytes, missing));
  socket_.async_read_some(asio::buffer(room.data(), room.size()),
                          [self = shared_from_this()](ErrorInfo error, std::size_t bytes) {
                            if (self->owner_ == nullptr) return;
                            if (!error) return self->on_read(bytes);
                            const bool closed = error == asio::error::eof;
                            self->lose(ErrorCode::kUnavailable,
                                       closed ? "the server closed the connection"
                                              : "connection lost: " + error.message());
                          });
}

void Link::on_read(std::size_t bytes) {
  buffer_.commit(bytes);
  buffer_.consume(session_.receive(buffer_.data(), std::chrono::steady_clock::now()));
  if (session_.state() == Session::State::kBroken) {
    return lose(session_.error().code, session_.error().message);
  }
  owner_->on_received();
  if (owner_ != nullptr) read();
}

void Link::lose(ErrorCode code, const std::string& why) {
  Owner* const owner = owner_;
  close();
  owner->on_lost({code, why.rfind("redis: ", 0) == 0 ? why : "redis: " + why});
}

void Link::close() {
  owner_ = nullptr;
  connected_ = false;
  ErrorInfo ignored;
  resolver_.cancel();
  socket_.close(ignored);
}

}  // namespace llm_edge_cache::redis
