// HTTP/1.1 client with keep-alive pools, for proxies: an answer is handed on as it comes, and only
// a message that was framed to its end counts as whole.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>

#include "http/exchange.hpp"
#include "http/io_threads.hpp"
#include "http/message.hpp"
#include "http/shared_bytes.hpp"
#include "http/tls_options.hpp"
#include "http/url.hpp"
#include "llm_edge_cache/result.hpp"

namespace llm_edge_cache::http {

struct ClientOptions {
  TlsClientOptions tls{};

  std::int64_t connect_timeout_ms = 5'000;      // name, TCP and TLS together
  std::int64_t first_byte_timeout_ms = 60'000;  // request sent to head of the answer received
  std::int64_t idle_read_timeout_ms = 60'000;   // between two reads of a body; not while paused
  std::int64_t write_timeout_ms = 30'000;       // a server that takes nothing for so long
  std::int64_t pool_idle_timeout_ms = 30'000;
  // A request whose body is at hand goes up once more, over another connection, where a reused one
  // ends so soon without a byte of an answer: the server had closed it. 0: never.
  std::int64_t stale_within_ms = 1'000;

  std::size_t max_header_bytes = 64 * 1024;
  std::size_t max_header_fields = 256;
  std::size_t max_connections_per_origin = 1'024;  // per thread; over it: kOverloaded
  std::size_t max_idle_per_origin = 64;            // per thread
  std::size_t max_write_queue_bytes = 8 * 1024 * 1024;

  [[nodiscard]] Status validate() const;
};

// How far a request got that failed: what decides whether it may be tried again.
enum class FailedAt : std::uint8_t {
  kConnect,    // nothing was sent: name, TCP, TLS, or no free connection
  kFirstByte,  // sent, at least in part; nothing came back
  kHead,       // an answer began, its head was bad or cut
  kBody,       // on_head was called
};

struct ClientError {
  Error error;
  FailedAt at = FailedAt::kConnect;
};

struct ResponseEnd {
  // False: the body ended when the connection closed, so that nobody can tell if it is whole.
  bool framed = true;
};

// Gets an answer: on_head, on_data any number of times, on_end; on_error ends it at any point.
// Exactly one of on_end and on_error, unless cancelled. All on the thread of the request.
class ResponseHandler {
 public:
  virtual ~ResponseHandler() = default;
  // A new connection was made for the request, TLS included; not to be used for calls of its own.
  virtual void on_connected() {}
  virtual void on_head(ResponseHead head) = 0;
  virtual void on_data(std::string_view bytes) = 0;  // valid during the call
  // Everything that came with one read has been told, and more is to come: the time to hand it on.
  virtual void on_batch_end() {}
  virtual void on_end(ResponseEnd end) = 0;
  virtual void on_error(ClientError error) = 0;
};

// A request under way. All calls on the thread of the request. Letting it go does not cancel.
class ClientCall {
 public:
  virtual ~ClientCall() = default;

  // No call-back after this one; the connection is closed unless the answer had ended.
  virtual void cancel() = 0;
  // After pause() up to IoThread::kScratchBytes more may come.
  virtual void pause() = 0;
  virtual void resume() = 0;

  // For a streamed request body; results as in Exchange. finish() short of the head's
  // Content-Length fails the request.
  virtual WriteResult write(std::string_view bytes) = 0;
  virtual WriteResult write(const SharedBytes& bytes) = 0;
  virtual void finish() = 0;
  virtual void on_drain(std::function<void()> callback) = 0;
};

// Thread-safe. Each I/O thread has its own pools, so that a proxied request stays on one thread.
class Client {
 public:
  // Throws std::invalid_argument for bad options, std::runtime_error for a CA file that cannot be
  // used. threads must outlive the client.
  Client(IoThreads& threads, ClientOptions options);
  // Cancels what is under way (handlers hear nothing) and closes the pools. Not to be run on an I/O
  // thread.
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // To be called on `thread`, which all call-backs use; none of them runs before request() returns.
  // Host is set from origin unless head has one; framing and Connection are ours. body: nullopt
  // for one that is streamed with write() and finish(). A request whose pooled connection closes
  // within stale_within_ms, before a byte of the answer, is sent once more on another one if its
  // body is not streamed.
  std::shared_ptr<ClientCall> request(IoThread& thread, const Origin& origin, RequestHead head,
                                      std::optional<SharedBytes> body,
                                      std::shared_ptr<ResponseHandler> handler);

  // Pooled connections without a request, over all threads; approximate while requests run.
  [[nodiscard]] std::size_t idle_connections() const;

 private:
  class Core;
  std::unique_ptr<Core> core_;
};

}  // namespace llm_edge_cache::http
