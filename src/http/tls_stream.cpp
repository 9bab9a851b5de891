#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <array>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <cstring>
#include <utility>

#include "http/stream.hpp"
#include "net/tls_client.hpp"

namespace llm_edge_cache::http {
namespace {

namespace asio = boost::asio;
namespace ssl = boost::asio::ssl;

constexpr std::size_t kRecordBytes = 16 * 1024;

class TlsStream final : public Stream {
 public:
  TlsStream(Socket socket, std::shared_ptr<ssl::context> context, const TlsStreamOptions& options)
      : context_(std::move(context)), stream_(std::move(socket), *context_), role_(options.role) {
    prepare_socket(stream_.next_layer().native_handle());
    if (role_ == TlsRole::kClient) prepare_client(options);
  }

  void handshake(std::function<void(IoError)> done) override {
    if (!held_to_host_.ok()) {
      return asio::post(stream_.get_executor(),
                        [done = std::move(done)] { done(asio::error::invalid_argument); });
    }
    const auto type =
        role_ == TlsRole::kServer ? ssl::stream_base::server : ssl::stream_base::client;
    stream_.async_handshake(type, std::move(done));
  }

  void async_read(std::shared_ptr<StreamOwner> owner) override {
    if (shut_down_) return read_rest(std::move(owner));
    stream_.async_read_some(asio::buffer(input_),
                            [this, owner = std::move(owner)](IoError error, std::size_t bytes) {
                              owner->on_read(error, std::string_view(input_.data(), bytes));
                            });
  }

  // Asio's TLS stream loses bytes when its socket would block in a synchronous call.
  std::size_t write_some(std::span<const asio::const_buffer>, IoError& error) override {
    error = asio::error::would_block;
    return 0;
  }

  // One record, however many buffers it comes from.
  void async_write_some(std::span<const asio::const_buffer> buffers,
                        std::shared_ptr<StreamOwner> owner) override {
    record_.clear();
    for (const asio::const_buffer& buffer : buffers) {
      const std::size_t take = std::min(buffer.size(), kRecordBytes - record_.size());
      record_.append(static_cast<const char*>(buffer.data()), take);
    }
    stream_.async_write_some(asio::buffer(record_),
                             [owner = std::move(owner)](IoError error, std::size_t bytes) {
                               owner->on_written(error, bytes);
                             });
  }

  void shutdown_send(std::shared_ptr<StreamOwner> owner) override {
    shut_down_ = true;
    stream_.async_shutdown([this, owner = std::move(owner)](IoError error) {
      if (!error) return owner->on_read(asio::error::eof, {});
      may_read_rest_ = true;
      if (rest_reader_ != nullptr) read_rest(std::exchange(rest_reader_, nullptr));
    });
  }

  void reset() override {
    IoError ignored;
    stream_.next_layer().set_option(asio::socket_base::linger(true, 0), ignored);
    close();
  }

  void close() override {
    IoError ignored;
    stream_.next_layer().close(ignored);
    rest_reader_.reset();
  }

  bool is_quiet() override { return is_quiet_socket(stream_.next_layer().native_handle()); }

  std::string verify_failure() const override {
    if (!held_to_host_.ok()) return held_to_host_.error().message;
    return net::tls_verify_failure(const_cast<TlsStream*>(this)->stream_.native_handle());
  }

 private:
  // What comes after close_notify was sent is read as it is, for nobody but the peer, whose writes
  // would fail if the connection were closed on them. OpenSSL gives up at the first such record.
  void read_rest(std::shared_ptr<StreamOwner> owner) {
    if (!may_read_rest_) {
      rest_reader_ = std::move(owner);
      return;
    }
    stream_.next_layer().async_read_some(
        asio::buffer(input_), [this, owner = std::move(owner)](IoError error, std::size_t bytes) {
          owner->on_read(error, std::string_view(input_.data(), bytes));
        });
  }

  void prepare_client(const TlsStreamOptions& options) {
    SSL* const handle = stream_.native_handle();
    static constexpr unsigned char kAlpn[] = "\x08http/1.1";
    SSL_set_alpn_protos(handle, kAlpn, sizeof kAlpn - 1);
    held_to_host_ = net::prepare_tls_client(handle, options.host, options.verify_peer);
  }

  std::shared_ptr<ssl::context> context_;
  ssl::stream<Socket> stream_;
  const TlsRole role_;
  Status held_to_host_;  // of a client: where it failed there is no handshake
  std::array<char, kRecordBytes> input_{};
  std::string record_;
  bool shut_down_ = false;
  bool may_read_rest_ = false;  // close_notify is on its way
  std::shared_ptr<StreamOwner> rest_reader_;
};

}  // namespace

std::unique_ptr<Stream> make_tls_stream(Socket socket, std::shared_ptr<ssl::context> context,
                                        const TlsStreamOptions& options) {
  return std::make_unique<TlsStream>(std::move(socket), std::move(context), options);
}

}  // namespace llm_edge_cache::http
