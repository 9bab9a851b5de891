#include "http/client_connection.hpp"

#include <boost/asio/ip/address.hpp>
#include <chrono>
#include <utility>

#include "base/parse_number.hpp"

namespace llm_edge_cache::http {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

ParserLimits parser_limits(const ClientOptions& options) {
  return {.max_header_bytes = options.max_header_bytes,
          .max_header_fields = options.max_header_fields};
}

// RFC 9110, 8.6: these say Content-Length: 0 rather than nothing.
bool method_expects_body(std::string_view method) {
  return method == "POST" || method == "PUT" || method == "PATCH";
}

}  // namespace

ClientConnection::ClientConnection(IoThread& thread, std::shared_ptr<const ClientShared> shared,
                                   Origin origin, ClientPool& pool)
    : thread_(thread),
      shared_(std::move(shared)),
      origin_(std::move(origin)),
      pool_(&pool),
      resolver_(thread.context()),
      parser_(parser_limits(shared_->options)) {}

// --- Request ---------------------------------------------------------------------------------

void ClientConnection::begin(ClientRequest request) {
  request_ = std::move(request);
  request_.link->connection = this;
  answered_ = head_told_ = informational_ = paused_ = write_failed_ = false;
  parser_.start({.to_head_request = request_.head.method == "HEAD"});
  begun_at_ = thread_.recent();
  const bool fresh = phase_ == Phase::kNew;
  phase_ = fresh ? Phase::kConnecting : Phase::kActive;
  deadline_.cancel();

  out_.clear();
  const std::string host = origin_.authority();
  if (!append_request_head(out_, request_.head, {.framing = decide_framing(), .host = host})) {
    return thread_.post([self = shared_self()] {
      self->fail(ErrorCode::kInvalidArgument, "the request has a field that cannot be sent");
    });
  }
  if (request_.body) {
    send({out_, *request_.body});
  } else {
    send({out_});
  }
  if (fresh) connect();
}

Framing ClientConnection::decide_framing() {
  chunked_ = false;
  body_left_.reset();
  body_ended_ = request_.body.has_value();
  if (request_.body) {
    if (request_.body->empty() && !method_expects_body(request_.head.method)) return {};
    return {.content_length = request_.body->size()};
  }
  const std::string_view text = request_.head.headers.get("content-length").value_or("");
  body_left_ = parse_number<std::uint64_t>(text);
  chunked_ = !body_left_;
  return {.content_length = body_left_, .chunked = chunked_};
}

WriteResult ClientConnection::write(const OutputPiece& piece) {
  if (body_ended_ || write_failed_) return WriteResult::kClosed;
  if (piece.bytes.empty()) {
    return writer_.queued_bytes() == 0 ? WriteResult::kSent : WriteResult::kQueued;
  }
  WriteResult result = WriteResult::kClosed;
  if (chunked_) {
    out_.clear();
    append_chunk_size(out_, piece.bytes.size());
    result = send({out_, piece, "\r\n"});
  } else if (piece.bytes.size() > *body_left_) {
    fail(ErrorCode::kInvalidArgument, "the request body is longer than its Content-Length");
  } else {
    *body_left_ -= piece.bytes.size();
    result = send({piece});
  }
  if (writer_.queued_bytes() > shared_->options.max_write_queue_bytes) {
    fail(ErrorCode::kOverloaded, "too many bytes of the request wait to be sent to " + peer());
    return WriteResult::kClosed;
  }
  return result;
}

void ClientConnection::finish() {
  if (body_ended_) return;
  if (body_left_.value_or(0) > 0) {
    return fail(ErrorCode::kInvalidArgument, "the request body is shorter than its Content-Length");
  }
  body_ended_ = true;
  if (write_failed_) return;
  if (chunked_) {
    send({kLastChunk});
  } else if (writer_.queued_bytes() == 0) {
    on_sent();
  }
}

void ClientConnection::on_drain(std::function<void()> callback) {
  drain_callback_ = std::make_shared<std::function<void()>>(std::move(callback));
}

WriteResult ClientConnection::send(std::initializer_list<OutputPiece> pieces) {
  if (phase_ == Phase::kConnecting) {
    for (const OutputPiece& piece : pieces) writer_.queue(piece);
    return WriteResult::kQueued;
  }
  const WriteResult result = writer_.write(*stream_, *this, pieces);
  if (result == WriteResult::kSent) on_sent();
  if (result == WriteResult::kClosed) on_written(asio::error::broken_pipe, 0);
  if (result == WriteResult::kQueued && !write_timer_.is_set()) {
    thread_.set_timer(write_timer_, std::chrono::milliseconds(shared_->options.write_timeout_ms));
  }
  return result;
}

void ClientConnection::on_written(IoError error, std::size_t bytes) {
  if (phase_ == Phase::kClosed) return;
  if (error) {
    // The server may have answered before it closed: what it said is read first, and the reader
    // finds the end.
    write_failed_ = true;
    write_timer_.cancel();
    if (!head_told_) set_deadline(shared_->options.first_byte_timeout_ms);
    return;
  }
  if (writer_.on_written(*stream_, *this, bytes) == WriteResult::kQueued) {
    thread_.set_timer(write_timer_, std::chrono::milliseconds(shared_->options.write_timeout_ms));
    return;
  }
  on_sent();
  if (const auto callback = drain_callback_) (*callback)();
}

// The kernel has everything so far.
void ClientConnection::on_sent() {
  write_timer_.cancel();
  if (body_ended_ && !head_told_) set_deadline(shared_->options.first_byte_timeout_ms);
}

void ClientConnection::on_write_timeout() {
  fail(ErrorCode::kDeadlineExceeded, peer() + " stopped taking the request");
}

// --- Connection ------------------------------------------------------------------------------

void ClientConnection::connect() {
  set_deadline(shared_->options.connect_timeout_ms);
  IoError not_address;
  const asio::ip::address address = asio::ip::make_address(origin_.host, not_address);
  if (!not_address) return connect_to({Endpoint(address, origin_.port)});
  resolver_.async_resolve(
      origin_.host, std::to_string(origin_.port),
      [self = shared_self()](IoError error, const tcp::resolver::results_type& resolved) {
        if (self->phase_ != Phase::kConnecting) return;
        if (error) return self->fail_connect(error.message());
        self->connect_to({resolved.begin(), resolved.end()});
      });
}

void ClientConnection::connect_to(const std::vector<Endpoint>& endpoints) {
  const auto done = [self = shared_self()](IoError error, Socket socket) {
    error ? self->fail_connect(error.message()) : self->on_connected(std::move(socket));
  };
  race_ = std::make_shared<ConnectRace>(thread_, pool_->addresses(), endpoints, done);
  race_->start();
}

void ClientConnection::on_connected(Socket socket) {
  race_.reset();
  if (origin_.scheme == Scheme::kHttps) {
    stream_ = make_tls_stream(std::move(socket), shared_->tls,
                              {.role = TlsRole::kClient,
                               .host = origin_.host,
                               .verify_peer = shared_->options.tls.verify_peer});
  } else {
    stream_ = make_plain_stream(thread_, std::move(socket));
  }
  stream_->handshake([self = shared_self()](IoError failed) {
    if (self->phase_ != Phase::kConnecting) return;
    if (failed) {
      const std::string refused = self->stream_->verify_failure();
      return self->fail_connect(refused.empty() ? "TLS: " + failed.message()
                                                : "its certificate was refused: " + refused);
    }
    self->phase_ = Phase::kActive;
    self->deadline_.cancel();
    self->request_.handler->on_connected();
    self->writer_.flush(*self->stream_, *self);
    self->thread_.set_timer(self->write_timer_,
                            std::chrono::milliseconds(self->shared_->options.write_timeout_ms));
    self->arm_read();
  });
}

void ClientConnection::fail_connect(const std::string& why) {
  fail(ErrorCode::kUnavailable, "cannot connect to " + peer() + ": " + why);
}

void ClientConnection::set_deadline(std::int64_t ms) {
  thread_.set_timer(deadline_, std::chrono::milliseconds(ms));
}

void ClientConnection::on_deadline() {
  if (phase_ == Phase::kIdle) return close();
  const std::string what = phase_ == Phase::kConnecting ? "no connection to " + peer() + " in time"
                           : head_told_                 ? peer() + " stopped sending its answer"
                                                        : peer() + " did not answer in time";
  fail(ErrorCode::kDeadlineExceeded, what);
}

void ClientConnection::close() {
  if (phase_ == Phase::kClosed) return;
  phase_ = Phase::kClosed;
  const auto self = shared_self();
  const auto dropped = release_request();
  resolver_.cancel();
  if (race_) std::exchange(race_, nullptr)->cancel();
  if (stream_) stream_->close();
  writer_.clear();
  deadline_.cancel();
  write_timer_.cancel();
  pool_->on_closed(*this);
}

bool ClientConnection::is_quiet() {
  return stream_->is_quiet();
}

// --- Answer ----------------------------------------------------------------------------------

void ClientConnection::arm_read() {
  if (reading_ || phase_ == Phase::kClosed || !pending_.empty()) return;
  reading_ = true;
  stream_->async_read(shared_from_this());
}

void ClientConnection::on_read(IoError error, std::string_view bytes) {
  reading_ = false;
  if (phase_ == Phase::kClosed) return;
  if (phase_ == Phase::kIdle) return close();  // ended, or sent what nobody asked for
  if (error) return on_input_ended(error);
  answered_ = true;
  pump(bytes);
}

void ClientConnection::pump(std::string_view fresh) {
  if (pumping_) return;
  pumping_ = true;
  const auto self = shared_self();
  const std::string held = std::exchange(pending_, {});
  std::string_view input = held.empty() ? fresh : std::string_view(held);
  do {
    while (phase_ == Phase::kActive && !paused_ && pump_step(input)) {
    }
  } while (end_batch());
  pumping_ = false;
  if (phase_ == Phase::kClosed) return;
  pending_ = input;
  if (phase_ == Phase::kActive && head_told_) {
    paused_ ? deadline_.cancel() : set_deadline(shared_->options.idle_read_timeout_ms);
  }
  arm_read();
}

bool ClientConnection::end_batch() {
  if (phase_ != Phase::kActive || !head_told_) return false;
  const bool was_paused = paused_;
  const auto handler = request_.handler;
  handler->on_batch_end();
  return was_paused && !paused_ && phase_ == Phase::kActive;
}

bool ClientConnection::pump_step(std::string_view& input) {
  const ParseStep step = parser_.next(input);
  input.remove_prefix(step.consumed);
  switch (step.event) {
    case ParseEvent::kNeedMore:
      return false;
    case ParseEvent::kHead:
      handle_head();
      return true;
    case ParseEvent::kBody:
    case ParseEvent::kEnd:
      deliver(step.event, !input.empty());
      return true;
    case ParseEvent::kError:
      fail(ErrorCode::kProtocol,
           "the answer of " + peer() + " is broken: " + parser_.error().detail);
      return false;
  }
  return false;
}

void ClientConnection::handle_head() {
  ResponseHead head = parser_.take_head();
  informational_ = head.status < 200;
  if (head.status == 101) {
    return fail(ErrorCode::kProtocol, peer() + " switched protocols, which nobody asked for");
  }
  if (informational_) return;
  head_told_ = true;
  deadline_.cancel();
  const auto handler = request_.handler;
  handler->on_head(std::move(head));
}

void ClientConnection::deliver(ParseEvent event, bool input_left) {
  const auto link = request_.link;
  const auto handler = request_.handler;
  for (const std::string_view piece : parser_.body()) {
    handler->on_data(piece);
    if (link->connection != this) return;  // cancelled
  }
  if (event != ParseEvent::kEnd) return;
  if (informational_) {
    informational_ = false;
    return parser_.start({.to_head_request = request_.head.method == "HEAD"});
  }
  const bool sent = body_ended_ && !write_failed_ && writer_.queued_bytes() == 0;
  end_response(sent && !input_left);
}

void ClientConnection::end_response(bool may_reuse) {
  const auto self = shared_self();
  const ResponseEnd end{.framed = parser_.framed()};
  const bool reuse = may_reuse && parser_.keep_alive() && parser_.framed();
  const auto handler = release_request();
  if (reuse) {
    phase_ = Phase::kIdle;
    used_ = true;
    set_deadline(shared_->options.pool_idle_timeout_ms);
    offer_for_reuse();
  } else {
    close();
  }
  handler->on_end(end);
}

// What a TLS stream has read and not yet told comes before the next turn: only then is it known
// that nobody has sent what was not asked for.
void ClientConnection::offer_for_reuse() {
  if (origin_.scheme == Scheme::kHttp) return pool_->on_idle(shared_self());
  arm_read();
  nearly_idle_ = true;
  pool_->on_nearly_idle(*this);
  thread_.post([self = shared_self()] {
    if (self->phase_ == Phase::kIdle) self->pool_->on_idle(self);
  });
}

// A server that had closed an idle connection is heard of at once. What closes later may have been
// acted on.
bool ClientConnection::can_retry() const {
  const auto within = std::chrono::milliseconds(shared_->options.stale_within_ms);
  return used_ && !answered_ && request_.body && IoThread::now() - begun_at_ < within;
}

void ClientConnection::on_input_ended(IoError error) {
  const auto self = shared_self();
  if (can_retry()) return pool_->on_stale(self);
  if (!answered_) {
    return fail(ErrorCode::kUnavailable, peer() + " closed the connection before it answered");
  }
  if (Stream::is_clean_end(error) && parser_.end_of_input().event == ParseEvent::kEnd) {
    return end_response(false);
  }
  fail(ErrorCode::kUnavailable, peer() + " closed the connection within its answer");
}

FailedAt ClientConnection::failed_at() const {
  if (phase_ == Phase::kConnecting) return FailedAt::kConnect;
  if (head_told_) return FailedAt::kBody;
  return answered_ ? FailedAt::kHead : FailedAt::kFirstByte;
}

void ClientConnection::fail(ErrorCode code, const std::string& what) {
  if (phase_ == Phase::kClosed) return;
  const auto self = shared_self();
  const FailedAt at = failed_at();
  const auto handler = release_request();
  close();
  if (handler) handler->on_error({.error = {code, what}, .at = at});
}

std::shared_ptr<ResponseHandler> ClientConnection::release_request() {
  ClientRequest ended = std::exchange(request_, {});
  drain_callback_.reset();
  if (ended.link) ended.link->connection = nullptr;
  return std::move(ended.handler);
}

void ClientConnection::cancel() {
  close();
}

void ClientConnection::pause() {
  paused_ = true;
}

void ClientConnection::resume() {
  if (!std::exchange(paused_, false)) return;
  if (phase_ == Phase::kActive) pump({});
}

}  // namespace llm_edge_cache::http
