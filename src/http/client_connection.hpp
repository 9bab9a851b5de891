// One connection of a client: connects, sends a request, hands its answer on, and goes back to the
// pool if the next request may use it.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http/address_book.hpp"
#include "http/client.hpp"
#include "http/connect_race.hpp"
#include "http/head_writer.hpp"
#include "http/message_parser.hpp"
#include "http/stream.hpp"
#include "http/stream_writer.hpp"
#include "http/tls_context.hpp"

namespace llm_edge_cache::http {

class ClientConnection;

// What the connections of a client share.
struct ClientShared {
  ClientOptions options;
  TlsContextPtr tls;
};

// What a request's ClientCall and its connection know of each other. On their thread only.
struct ClientCallLink {
  ClientConnection* connection = nullptr;  // null: the call has ended
  bool cancelled = false;
};

// A request as it is sent, once or twice.
struct ClientRequest {
  RequestHead head;
  std::optional<SharedBytes> body;  // nullopt: streamed
  std::shared_ptr<ResponseHandler> handler;
  std::shared_ptr<ClientCallLink> link;
};

// What a connection tells its pool, on its thread.
class ClientPool {
 public:
  virtual ~ClientPool() = default;
  // on_idle() comes with the next turn of the loop, unless the connection is closed.
  virtual void on_nearly_idle(const ClientConnection& connection) = 0;
  // The connection has no request any more, and may get another.
  virtual void on_idle(const std::shared_ptr<ClientConnection>& connection) = 0;
  virtual void on_closed(ClientConnection& connection) = 0;
  // The server closed a used connection before it answered: send the request on a fresh one.
  virtual void on_stale(const std::shared_ptr<ClientConnection>& connection) = 0;
  [[nodiscard]] virtual AddressBook& addresses() = 0;
};

// On its I/O thread only. Holds itself while an operation is under way. The pool outlives it, or
// has closed it.
class ClientConnection final : public StreamOwner {
 public:
  ClientConnection(IoThread& thread, std::shared_ptr<const ClientShared> shared, Origin origin,
                   ClientPool& pool);

  // Connects when this is the first request; else sends it at once. Calls nobody back before it
  // returns.
  void begin(ClientRequest request);
  // Takes the request back from a connection that reported on_stale.
  [[nodiscard]] ClientRequest take_request() { return std::exchange(request_, {}); }

  [[nodiscard]] const Origin& origin() const { return origin_; }
  [[nodiscard]] bool is_closed() const { return phase_ == Phase::kClosed; }
  void close();

  // For an idle one: false where bytes, or the end, lie in the kernel that the event loop has not
  // come to. They would be taken for the answer to the next request.
  [[nodiscard]] bool is_quiet();
  // Whether the pool was told on_nearly_idle(); from here on it was not.
  [[nodiscard]] bool was_nearly_idle() { return std::exchange(nearly_idle_, false); }

  // The calls of ClientCall.
  void cancel();
  void pause();
  void resume();
  WriteResult write(const OutputPiece& piece);
  void finish();
  void on_drain(std::function<void()> callback);

 private:
  [[nodiscard]] std::shared_ptr<ClientConnection> shared_self() {
    return std::static_pointer_cast<ClientConnection>(shared_from_this());
  }

  enum class Phase { kNew, kConnecting, kActive, kIdle, kClosed };

  void on_read(IoError error, std::string_view bytes) override;
  void on_written(IoError error, std::size_t bytes) override;
  void on_deadline();
  void on_write_timeout();

  void connect();
  void connect_to(const std::vector<Endpoint>& endpoints);
  void on_connected(Socket socket);
  void fail_connect(const std::string& why);

  [[nodiscard]] Framing decide_framing();
  WriteResult send(std::initializer_list<OutputPiece> pieces);
  void on_sent();

  void pump(std::string_view fresh);
  bool pump_step(std::string_view& input);
  // True where the handler, who had paused the answer, goes on.
  bool end_batch();
  void handle_head();
  void deliver(ParseEvent event, bool input_left);
  void end_response(bool may_reuse);
  [[nodiscard]] std::shared_ptr<ResponseHandler> release_request();
  void on_input_ended(IoError error);
  void offer_for_reuse();
  [[nodiscard]] bool can_retry() const;
  void arm_read();
  void set_deadline(std::int64_t ms);
  void fail(ErrorCode code, const std::string& what);
  [[nodiscard]] FailedAt failed_at() const;
  [[nodiscard]] std::string peer() const { return origin_.authority(); }

  IoThread& thread_;
  const std::shared_ptr<const ClientShared> shared_;
  const Origin origin_;
  ClientPool* const pool_;
  boost::asio::ip::basic_resolver<boost::asio::ip::tcp, IoThread::Executor> resolver_;
  std::shared_ptr<ConnectRace> race_;  // while there is no connection
  std::unique_ptr<Stream> stream_;
  ResponseParser parser_;
  StreamWriter writer_;
  MemberTimer<ClientConnection, &ClientConnection::on_deadline> deadline_{*this};
  MemberTimer<ClientConnection, &ClientConnection::on_write_timeout> write_timer_{*this};
  std::string pending_;  // read but not parsed; one read at most
  std::string out_;

  Phase phase_ = Phase::kNew;
  bool used_ = false;  // a request before this one went well
  bool nearly_idle_ = false;
  TimePoint begun_at_{};
  bool reading_ = false;
  bool pumping_ = false;

  // The request under way.
  ClientRequest request_;
  std::optional<std::uint64_t> body_left_;  // of a streamed body's Content-Length
  bool chunked_ = false;
  bool body_ended_ = false;
  bool write_failed_ = false;   // an answer may still come
  bool answered_ = false;       // some byte of an answer came
  bool head_told_ = false;      // on_head was called
  bool informational_ = false;  // the message being parsed is a 1xx
  bool paused_ = false;
  std::shared_ptr<std::function<void()>> drain_callback_;
};

}  // namespace llm_edge_cache::http
