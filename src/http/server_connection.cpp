#include "http/server_connection.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace llm_edge_cache::http {
namespace {

using std::chrono::milliseconds;

// How much of a body nobody asked for is read to keep the connection.
constexpr std::size_t kMaxSkippedBytes = 64 * 1024;
constexpr std::size_t kMaxKeptHeadBytes = 8 * 1024;  // of memory, from one answer to the next
// Of an answer that waits for others to be made: longer ones take longer to send than to make.
constexpr std::size_t kMaxHeldBytes = 4 * 1024;
// Without a byte, and in all.
constexpr milliseconds kLingerTime{2'000};
constexpr milliseconds kMaxLingerTime{10'000};

ParserLimits parser_limits(const ServerOptions& options) {
  return {.max_header_bytes = options.max_header_bytes,
          .max_header_fields = options.max_header_fields,
          .max_target_bytes = options.max_target_bytes};
}

// What came with one read, however many chunks it was sent in: each piece costs whoever gets it.
std::string_view whole_of(const std::vector<std::string_view>& pieces, std::string& joined) {
  if (pieces.empty()) return {};
  if (pieces.size() == 1) return pieces.front();
  for (const std::string_view piece : pieces) joined += piece;
  return joined;
}

}  // namespace

ServerConnection::ServerConnection(std::unique_ptr<Stream> stream, ServerConnectionContext context,
                                   std::function<void()> on_closed)
    : context_(std::move(context)),
      options_(context_.server->options),
      on_closed_(std::move(on_closed)),
      stream_(std::move(stream)),
      parser_(parser_limits(options_)) {}

ServerConnection::~ServerConnection() = default;

void ServerConnection::start() {
  thread().set_timer(read_timer_, milliseconds(options_.tls_handshake_timeout_ms));
  stream_->handshake([self = shared_self()](IoError error) {
    if (self->phase_ != Phase::kHandshake) return;
    if (error) return self->close();
    self->phase_ = Phase::kIdle;
    if (self->draining_ && self->stream_->is_quiet()) return self->close();
    self->pump({});
  });
}

void ServerConnection::start_overloaded() {
  fail_request(503, "the server has reached its limit of connections", ErrorCode::kOverloaded);
}

void ServerConnection::drain() {
  draining_ = true;
  // A request that nobody has read yet would be answered by a reset.
  if (phase_ == Phase::kIdle && stream_->is_quiet()) close();
}

void ServerConnection::cut() {
  if (phase_ == Phase::kClosed) return;
  stream_->reset();
  close();
}

void ServerConnection::drop() {
  if (phase_ == Phase::kClosed) return;
  stream_->reset();
  lost();
}

// --- Reading ---------------------------------------------------------------------------------

void ServerConnection::on_read(IoError error, std::string_view bytes) {
  reading_ = false;
  if (phase_ == Phase::kClosed) return;
  if (phase_ == Phase::kLingering) {
    lingered_bytes_ += bytes.size();
    return error ? close() : linger_on();
  }
  if (!error) return pump(bytes);
  if (!Stream::is_clean_end(error)) return lost();
  input_ended_ = true;
  on_input_ended();
}

void ServerConnection::on_input_ended() {
  if (phase_ == Phase::kIdle || phase_ == Phase::kHead) return close();
  if (phase_ != Phase::kExchange) return;  // the answer is still being sent
  if (!parser_.complete()) return lost();
  // Only its sending side may be closed: the answer goes on, but whoever asked can stop the work.
  if (const Callback callback = std::exchange(disconnect_callback_, nullptr)) (*callback)();
}

void ServerConnection::pump(std::string_view fresh) {
  if (pumping_) return;  // the loop below this call goes on
  if (pending_.empty()) return pump_through(fresh);
  const std::string held = std::exchange(pending_, {});
  pump_through(held);
}

void ServerConnection::pump_through(std::string_view input) {
  pumping_ = true;
  while (wants_input() && pump_step(input)) {
  }
  pumping_ = false;
  if (phase_ == Phase::kClosed || phase_ == Phase::kLingering) return;
  if (!input.empty()) pending_ = input;
  if (input_ended_ && pending_.empty()) return on_input_ended();
  set_read_timer();
  arm_read();
}

bool ServerConnection::wants_input() const {
  if (phase_ == Phase::kExchange) return body_.wants_input();
  return phase_ == Phase::kIdle || phase_ == Phase::kHead;
}

bool ServerConnection::pump_step(std::string_view& input) {
  const ParseStep step = parser_.next(input);
  input.remove_prefix(step.consumed);
  switch (step.event) {
    case ParseEvent::kNeedMore:
      return false;
    case ParseEvent::kHead:
      begin_exchange(input);
      return true;
    case ParseEvent::kBody:
    case ParseEvent::kEnd:
      deliver_body(step.event);
      return true;
    case ParseEvent::kError:
      fail_request(parser_.error().status, parser_.error().detail, ErrorCode::kProtocol);
      return false;
  }
  return false;
}

void ServerConnection::arm_read() {
  if (reading_ || input_ended_ || !pending_.empty()) return;
  reading_ = true;
  stream_->async_read(shared_from_this());
}

void ServerConnection::set_read_timer() {
  switch (phase_) {
    case Phase::kIdle:
      if (!parser_.began()) {
        thread().set_timer(read_timer_, milliseconds(options_.idle_timeout_ms));
        return;
      }
      phase_ = Phase::kHead;
      thread().set_timer(read_timer_, milliseconds(options_.header_timeout_ms));
      return;
    case Phase::kHead:
      return;  // one deadline for the whole head
    case Phase::kExchange:
      if (body_.wants_input()) {
        thread().set_timer(
            read_timer_,
            body_.time_left(thread().recent(),
                            {.grace = milliseconds(options_.body_timeout_ms),
                             .min_bytes_per_second = options_.min_body_bytes_per_second}));
        return;
      }
      break;
    case Phase::kFlushing:
      return;  // a timer that is still set is set anew when the held answer has been sent
    default:
      break;
  }
  read_timer_.cancel();
}

void ServerConnection::on_read_timeout() {
  const auto self = shared_self();
  if (phase_ == Phase::kHead) {
    return fail_request(408, "the head did not come in time", ErrorCode::kDeadlineExceeded);
  }
  if (phase_ != Phase::kExchange) return close();
  fail_request(408, "the body did not come in time", ErrorCode::kDeadlineExceeded);
}

// --- Request ---------------------------------------------------------------------------------

void ServerConnection::begin_exchange(std::string_view& input) {
  phase_ = Phase::kExchange;
  ++exchange_number_;
  auto exchange = std::make_shared<Exchange>(shared_self(), parser_.received());
  const RequestHead& head = exchange->head();
  current_ = exchange.get();
  request_ = {.is_head = head.method == "HEAD", .version = head.version};
  started_ = false;
  body_.begin(!parser_.complete());
  const auto expectation = parser_.expectation();
  continue_wanted_ = expectation == RequestParser::Expectation::kContinue && !parser_.complete();
  if (expectation == RequestParser::Expectation::kUnknown) {
    return respond_error(417, "the only expectation known here is 100-continue");
  }
  if (parser_.content_length().value_or(0) > options_.max_body_bytes) {
    return respond_error(413,
                         "the body is over " + std::to_string(options_.max_body_bytes) + " bytes");
  }
  take_body_at_hand(input);
  context_.server->handler->handle(std::move(exchange));
  if (current_ != nullptr) body_.keep();  // for a handler that asks later: the input ends
}

void ServerConnection::take_body_at_hand(std::string_view& input) {
  const auto length = parser_.content_length();
  if (!length || *length == 0 || *length > input.size() || continue_wanted_) return;
  // Bytes that Content-Length counts are a body, whatever they are: the parser just counts, too.
  input.remove_prefix(parser_.next(input.substr(0, *length)).consumed);
  body_.have(parser_.body().front());
}

void ServerConnection::claim_body(Exchange::BodySink sink, std::size_t max_bytes) {
  if (body_.is_done()) {
    if (sink.on_end) sink.on_end({});
    return;
  }
  start_body(std::move(sink), max_bytes);
}

void ServerConnection::claim_body(std::shared_ptr<BodyReceiver> receiver, std::size_t max_bytes) {
  if (body_.is_done()) return receiver->on_body(std::string_view());
  start_body(std::move(receiver), max_bytes);
}

template <class Claimant>
void ServerConnection::start_body(Claimant claimant, std::size_t max_bytes) {
  if (body_.state() != RequestBody::State::kUnclaimed) return;
  max_bytes = std::min(max_bytes, options_.max_body_bytes);
  body_.claim(std::move(claimant), max_bytes, thread().recent());
  if (parser_.content_length().value_or(0) > max_bytes) {
    return fail_request(413, "the body is over " + std::to_string(max_bytes) + " bytes",
                        ErrorCode::kTooLarge);
  }
  if (std::exchange(continue_wanted_, false) && !started_ && pending_.empty()) {
    if (send({"HTTP/1.1 100 Continue\r\n\r\n"}) == WriteResult::kClosed) return;
  }
  if (body_.at_hand()) {
    const bool was_pumping = std::exchange(pumping_, true);  // no other request before this ends
    const bool fits = body_.deliver_at_hand();
    pumping_ = was_pumping;
    if (!fits) return fail_request(413, "the body is over the limit", ErrorCode::kTooLarge);
  }
  pump({});
}

void ServerConnection::resume_body() {
  body_.resume(thread().recent());
  pump({});
}

void ServerConnection::deliver_body(ParseEvent event) {
  const std::uint64_t number = exchange_number_;
  std::string joined;
  if (const std::string_view piece = whole_of(parser_.body(), joined); !piece.empty()) {
    const bool is_last = event == ParseEvent::kEnd && current_ != nullptr;
    if (is_last ? !body_.take_last(piece) : !body_.take(piece)) {
      return fail_request(413, "the body is over the limit", ErrorCode::kTooLarge);
    }
    if (is_last) return;
    if (phase_ != Phase::kExchange || number != exchange_number_) return;
  }
  if (event != ParseEvent::kEnd) return;
  if (current_ == nullptr) return next_request();  // it was discarded
  body_.end({});
}

// The request cannot go on. Answers if that is still possible, then tells the body's sink.
void ServerConnection::fail_request(std::uint16_t status, std::string_view detail, ErrorCode code) {
  const auto self = shared_self();
  keep_alive_ = false;
  if (phase_ == Phase::kExchange && current_ == nullptr) return next_request();  // answered already
  if (phase_ != Phase::kExchange) {
    phase_ = Phase::kExchange;
    request_ = {};
    started_ = false;
  }
  RequestBody body = std::exchange(body_, RequestBody());
  if (started_) {
    drop();
  } else {
    send_error(status, detail);
    end_answer();
  }
  body.end(Error{code, std::string(detail)});
}

// --- Answer ----------------------------------------------------------------------------------

void ServerConnection::respond_error(std::uint16_t status, std::string_view detail) {
  if (started_) return cut();
  send_error(status, detail);
  end_answer();
}

void ServerConnection::send_error(std::uint16_t status, std::string_view detail) {
  const RequestHead* request = current_ != nullptr ? &current_->head() : nullptr;
  ErrorBody error;
  if (options_.format_error) {
    error = options_.format_error(status, detail, request);
  } else {
    error.body = std::string(detail) + "\n";
  }
  ResponseHead head;
  head.status = status;
  head.headers.add("Content-Type", error.content_type);
  started_ = true;
  out_.clear();
  const bool fine = append_response_head(out_, head,
                                         {.framing = {.content_length = error.body.size()},
                                          .persistence = decide_persistence(false),
                                          .date = thread().http_date(),
                                          .extra = error.extra.get()});
  if (!fine) return cut();
  if (request_.is_head) error.body.clear();
  static_cast<void>(send({out_, error.body}));
}

bool ServerConnection::can_skip_body() const {
  if (parser_.complete()) return true;
  return body_.state() == RequestBody::State::kUnclaimed && !continue_wanted_ &&
         parser_.content_length().value_or(kMaxSkippedBytes + 1) <= kMaxSkippedBytes;
}

Persistence ServerConnection::decide_persistence(bool ends_by_close) {
  const bool body_is_read = body_.wants_input() || body_.state() == RequestBody::State::kPaused;
  keep_alive_ = keep_alive_ && parser_.keep_alive() && !draining_ && !ends_by_close &&
                (body_is_read || can_skip_body());
  if (!keep_alive_) return Persistence::kClose;
  return request_.version == Version::kHttp10 ? Persistence::kKeepAlive : Persistence::kDefault;
}

template <class Head>
void ServerConnection::respond(const Head& head, const SharedBytes& body) {
  if (started_) return;
  ResponseFormat format{.date = thread().http_date(), .extra = current_->extra_fields()};
  if (!status_has_no_body(head.status)) format.framing.content_length = body.size();
  format.persistence = decide_persistence(false);
  out_.clear();
  if (!append_response_head(out_, head, format)) {
    return respond_error(500, "the answer has a field that cannot be sent");
  }
  started_ = true;
  const bool bodyless = request_.is_head || status_has_no_body(head.status);
  if (hold(bodyless ? SharedBytes() : body)) return;
  if (bodyless ? send({out_}) == WriteResult::kClosed
               : send({out_, body}) == WriteResult::kClosed) {
    return;
  }
  end_answer();
}

template void ServerConnection::respond(const ResponseHead&, const SharedBytes&);
template void ServerConnection::respond(const PreparedHead&, const SharedBytes&);

bool ServerConnection::hold(const SharedBytes& body) {
  if (!thread().socket_events().tells_several() || writer_.queued_bytes() > 0) return false;
  if (out_.size() + body.size() > kMaxHeldBytes) return false;
  if (!thread().held_answers().hold({shared_self(), this})) return false;
  held_body_ = body;
  release_exchange();
  phase_ = Phase::kFlushing;
  return true;
}

void ServerConnection::send_held() {
  const SharedBytes body = std::exchange(held_body_, {});
  if (phase_ == Phase::kClosed) return;
  if (send({out_, body}) == WriteResult::kSent) return next_request();
  read_timer_.cancel();
}

WriteResult ServerConnection::answer(const OutputPart& part) {
  if (started_ == (part.head != nullptr)) return WriteResult::kClosed;
  OutputBatch batch(out_);
  if (!frame(batch, part)) return WriteResult::kClosed;
  WriteResult result = writer_.queued_bytes() == 0 ? WriteResult::kSent : WriteResult::kQueued;
  if (const auto parts = batch.parts(); !parts.empty()) result = send(parts);
  if (result == WriteResult::kClosed) return result;
  if (!part.pieces.empty() && writer_.queued_bytes() > options_.max_write_queue_bytes) {
    cut();
    return WriteResult::kClosed;
  }
  if (part.is_last) end_answer();
  return result;
}

bool ServerConnection::frame(OutputBatch& batch, const OutputPart& part) {
  if (part.head != nullptr) {
    ResponseFormat format{.date = thread().http_date(), .extra = current_->extra_fields()};
    format.framing = framing_.begin(*part.head, request_);
    format.persistence = decide_persistence(framing_.ends_by_close());
    if (!append_response_head(batch.text(), *part.head, format)) {
      respond_error(500, "the answer has a field that cannot be sent");
      return false;
    }
    started_ = true;
  }
  bool fits = true;
  for (const OutputPiece& piece : part.pieces) fits = fits && frame_piece(batch, piece);
  if (!fits || (part.is_last && !framing_.is_complete())) {
    cut();
    return false;
  }
  if (part.is_last && framing_.is_chunked()) batch.text().append(kLastChunk);
  return true;
}

bool ServerConnection::frame_piece(OutputBatch& batch, const OutputPiece& piece) {
  if (piece.bytes.empty()) return true;
  switch (framing_.offer(piece.bytes.size())) {
    case AnswerFraming::Verdict::kDrop:
      return true;
    case AnswerFraming::Verdict::kTooMany:
      return false;
    case AnswerFraming::Verdict::kSend:
      batch.add(piece);
      return true;
    case AnswerFraming::Verdict::kChunk:
      append_chunk_size(batch.text(), piece.bytes.size());
      batch.add(piece);
      batch.text().append("\r\n");
      return true;
  }
  return true;
}

void ServerConnection::finish() {
  if (!started_) return cut();
  static_cast<void>(answer({.is_last = true}));
}

void ServerConnection::on_drain(std::function<void()> callback) {
  drain_callback_ = std::make_shared<std::function<void()>>(std::move(callback));
}

void ServerConnection::on_disconnect(std::function<void()> callback) {
  disconnect_callback_ = std::make_shared<std::function<void()>>(std::move(callback));
}

void ServerConnection::dropped(std::uint64_t exchange_number) {
  if (exchange_number != exchange_number_ || current_ == nullptr) return;
  current_ = nullptr;
  if (started_) return cut();
  if (input_ended_) return close();  // let go of because it seemed to have left
  send_error(500, "the request was left without an answer");
  end_answer();
}

WriteResult ServerConnection::send(std::span<const OutputPiece> pieces) {
  const WriteResult result = writer_.write(*stream_, *this, pieces);
  if (result == WriteResult::kClosed) {
    lost();
  } else if (result == WriteResult::kQueued && !write_timer_.is_set()) {
    thread().set_timer(write_timer_, milliseconds(options_.write_timeout_ms));
  }
  return result;
}

void ServerConnection::on_written(IoError error, std::size_t bytes) {
  if (phase_ == Phase::kClosed) return;
  if (error) return lost();
  if (writer_.on_written(*stream_, *this, bytes) == WriteResult::kQueued) {
    thread().set_timer(write_timer_, milliseconds(options_.write_timeout_ms));
    return;
  }
  write_timer_.cancel();
  if (phase_ == Phase::kFlushing) return next_request();
  if (const Callback callback = drain_callback_) (*callback)();
}

void ServerConnection::on_write_timeout() {
  drop();
}

// --- Between requests ------------------------------------------------------------------------

void ServerConnection::end_answer() {
  if (phase_ == Phase::kClosed) return;
  release_exchange();
  if (writer_.queued_bytes() == 0) return next_request();
  phase_ = Phase::kFlushing;
  read_timer_.cancel();
}

void ServerConnection::release_exchange() {
  current_ = nullptr;
  drain_callback_.reset();
  disconnect_callback_.reset();
}

void ServerConnection::next_request() {
  phase_ = Phase::kExchange;
  if (out_.capacity() > kMaxKeptHeadBytes) std::string().swap(out_);
  if (!keep_alive_ || draining_ || !can_skip_body()) {
    body_.forget();
    const bool may_get_more = !parser_.complete() || !pending_.empty() || options_.tls.has_value();
    return may_get_more ? linger() : close();
  }
  if (!parser_.complete()) {
    body_.discard(kMaxSkippedBytes, thread().recent());
  } else {
    body_.forget();
    parser_.start();
    phase_ = Phase::kIdle;
  }
  pump({});
}

void ServerConnection::linger() {
  if (input_ended_ && !options_.tls) return close();
  phase_ = Phase::kLingering;
  pending_.clear();
  lingers_until_ = thread().recent() + kMaxLingerTime;
  stream_->shutdown_send(shared_from_this());
  linger_on();
}

// A client that writes a large body before it reads would lose the answer to a reset.
void ServerConnection::linger_on() {
  if (lingered_bytes_ > options_.max_body_bytes || thread().recent() >= lingers_until_) {
    return close();
  }
  thread().set_timer(read_timer_, kLingerTime);
  arm_read();
}

// The client has gone, or the socket failed.
void ServerConnection::lost() {
  if (phase_ == Phase::kClosed) return;
  const auto self = shared_self();
  RequestBody body = std::exchange(body_, RequestBody());
  const Callback disconnected = std::exchange(disconnect_callback_, nullptr);
  close();
  body.end(Error{ErrorCode::kUnavailable, "the client went away"});
  if (disconnected) (*disconnected)();
}

void ServerConnection::close() {
  if (phase_ == Phase::kClosed) return;
  phase_ = Phase::kClosed;
  stream_->close();
  writer_.clear();
  read_timer_.cancel();
  write_timer_.cancel();
  const RequestBody body = std::exchange(body_, RequestBody());
  release_exchange();
  if (const auto on_closed = std::exchange(on_closed_, nullptr)) on_closed();
}

}  // namespace llm_edge_cache::http
