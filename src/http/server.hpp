// HTTP/1.1 server (RFC 9110, RFC 9112): keep-alive, pipelining, chunked both ways, limits,
// deadlines, TLS, graceful drain. Rejects every ambiguous framing, so that no proxy in front can be
// led astray.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "http/exchange.hpp"
#include "http/io_threads.hpp"
#include "http/tls_options.hpp"
#include "llm_edge_cache/result.hpp"

namespace llm_edge_cache::http {

// Body of an error that the server itself answers.
struct ErrorBody {
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
  std::shared_ptr<const ExtraFields> extra = {};  // null: none
};

// head is null when the request was too broken to have one. Runs on an I/O thread.
using ErrorFormatter = std::function<ErrorBody(std::uint16_t status, std::string_view detail,
                                               const RequestHead* head)>;

struct ServerOptions {
  std::string listen = "127.0.0.1:8080";  // port 0: any free one, port() tells
  std::optional<TlsServerOptions> tls{};

  std::size_t max_connections = 16'384;  // over it: 503 and close
  std::size_t max_header_bytes = 64 * 1024;
  std::size_t max_header_fields = 128;
  std::size_t max_target_bytes = 8 * 1024;
  std::size_t max_body_bytes = 32 * 1024 * 1024;
  std::size_t max_write_queue_bytes = 8 * 1024 * 1024;  // per connection, beside respond()'s body

  std::int64_t tls_handshake_timeout_ms = 10'000;
  std::int64_t header_timeout_ms = 10'000;  // first byte of a head to its last
  std::int64_t body_timeout_ms = 30'000;  // grace for a body, on top of the time at the rate below
  std::int64_t min_body_bytes_per_second = 1'024;
  std::int64_t idle_timeout_ms = 75'000;   // between requests
  std::int64_t write_timeout_ms = 30'000;  // a reader that takes nothing for so long is cut
  std::int64_t drain_timeout_ms = 30'000;

  ErrorFormatter format_error{};  // empty: plain text

  [[nodiscard]] Status validate() const;
};

// Implemented by the user of the server.
class Handler {
 public:
  virtual ~Handler() = default;
  // On the connection's thread as soon as the head is there; must not block nor throw.
  virtual void handle(std::shared_ptr<Exchange> exchange) = 0;
};

// Thread-safe. Connections are dealt round robin to the threads.
class Server {
 public:
  // Listens when it returns. Throws std::invalid_argument for bad options and std::system_error
  // when the address cannot be bound. threads must outlive the server.
  Server(IoThreads& threads, ServerOptions options, std::shared_ptr<Handler> handler);
  // stop().
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  [[nodiscard]] std::uint16_t port() const;
  [[nodiscard]] std::size_t connection_count() const;

  // Handshakes from now on use the new certificate and authorities; connections that are there go
  // on. On an error nothing changes. For a server that has TLS.
  [[nodiscard]] Status reload_tls(const TlsServerOptions& tls);

  // Stops accepting, closes idle connections, lets answers in flight end (with Connection: close),
  // and cuts what is left after drain_timeout_ms. done runs once, on an I/O thread.
  void drain(std::function<void()> done);

  // Cuts everything, and returns when the handler will not be called any more. Idempotent; not to
  // be called on an I/O thread.
  void stop();

 private:
  class Core;
  std::shared_ptr<Core> core_;
};

}  // namespace llm_edge_cache::http
