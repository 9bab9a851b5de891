// One connection of a server: reads requests one after the other, hands each to the handler, sends
// the answer. Parser, body and framing decide; this acts.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "http/answer_framing.hpp"
#include "http/exchange.hpp"
#include "http/head_writer.hpp"
#include "http/held_answers.hpp"
#include "http/message_parser.hpp"
#include "http/output_batch.hpp"
#include "http/request_body.hpp"
#include "http/server.hpp"
#include "http/stream.hpp"
#include "http/stream_writer.hpp"

namespace llm_edge_cache::http {

// What the connections of a server share.
struct ServerShared {
  ServerOptions options;
  std::shared_ptr<Handler> handler;
};

struct ServerConnectionContext {
  IoThread& thread;
  std::shared_ptr<const ServerShared> server;
  std::string remote_address;
};

// AnswerPart's, with pieces that may be copied.
struct OutputPart {
  const ResponseHead* head = nullptr;
  std::span<const OutputPiece> pieces = {};
  bool is_last = false;
};

// On its I/O thread only. Holds itself while an operation is under way.
class ServerConnection final : public StreamOwner, private HeldAnswers::Sender {
 public:
  ServerConnection(std::unique_ptr<Stream> stream, ServerConnectionContext context,
                   std::function<void()> on_closed);
  ~ServerConnection() override;

  void start();
  // Answers 503, whatever comes, and closes.
  void start_overloaded();
  // Closes now when idle, else after the answer in flight.
  void drain();
  // Both cut: the client sees a reset. drop() also tells whoever works on the exchange.
  void cut();
  void drop();

  [[nodiscard]] IoThread& thread() const { return context_.thread; }
  [[nodiscard]] const std::string& remote_address() const { return context_.remote_address; }
  [[nodiscard]] std::uint64_t exchange_number() const { return exchange_number_; }

  // The calls of the current Exchange, as it documents them.
  [[nodiscard]] bool is_current(const Exchange& exchange) const { return current_ == &exchange; }
  [[nodiscard]] bool started() const { return started_; }
  void claim_body(Exchange::BodySink sink, std::size_t max_bytes);
  void claim_body(std::shared_ptr<BodyReceiver> receiver, std::size_t max_bytes);
  [[nodiscard]] const std::optional<std::string_view>& body_at_hand() const {
    return body_.at_hand();
  }
  void pause_body() { body_.pause(); }
  void resume_body();
  // Head: ResponseHead or PreparedHead.
  template <class Head>
  void respond(const Head& head, const SharedBytes& body);
  void respond_error(std::uint16_t status, std::string_view detail);
  void start_answer(const ResponseHead& head) { static_cast<void>(answer({.head = &head})); }
  WriteResult write(const OutputPiece& piece) { return answer({.pieces = {&piece, 1}}); }
  void finish();
  WriteResult answer(const OutputPart& part);
  void on_drain(std::function<void()> callback);
  void on_disconnect(std::function<void()> callback);
  // The last reference to the exchange with that number has gone.
  void dropped(std::uint64_t exchange_number);

 private:
  [[nodiscard]] std::shared_ptr<ServerConnection> shared_self() {
    return std::static_pointer_cast<ServerConnection>(shared_from_this());
  }

  enum class Phase {
    kHandshake,
    kIdle,       // no byte of a request yet
    kHead,       // within a head
    kExchange,   // head read: body, answer, or both under way
    kFlushing,   // answered, the socket has not taken all of it
    kLingering,  // sending is over; what still comes is read so that no reset destroys the answer
    kClosed,
  };
  using Callback = std::shared_ptr<std::function<void()>>;  // shared: may be dropped while it runs

  void on_read(IoError error, std::string_view bytes) override;
  void on_written(IoError error, std::size_t bytes) override;
  void send_held() override;
  void on_read_timeout();
  void on_write_timeout();

  // Parses, and hands on, as far as it can. Whoever calls holds this.
  void pump(std::string_view fresh);
  void pump_through(std::string_view input);
  [[nodiscard]] bool wants_input() const;
  // Parses one event; false when it takes more input to go on.
  bool pump_step(std::string_view& input);
  void arm_read();
  void set_read_timer();
  void on_input_ended();

  // input: what came behind the head.
  void begin_exchange(std::string_view& input);
  // Has the body parsed if all of it is in the input.
  void take_body_at_hand(std::string_view& input);
  template <class Claimant>
  void start_body(Claimant claimant, std::size_t max_bytes);
  void deliver_body(ParseEvent event);
  void fail_request(std::uint16_t status, std::string_view detail, ErrorCode code);
  void send_error(std::uint16_t status, std::string_view detail);

  [[nodiscard]] bool can_skip_body() const;
  [[nodiscard]] Persistence decide_persistence(bool ends_by_close);
  // False where the part cannot be sent as it is: the client has been told, or cut.
  [[nodiscard]] bool frame(OutputBatch& batch, const OutputPart& part);
  [[nodiscard]] bool frame_piece(OutputBatch& batch, const OutputPiece& piece);
  WriteResult send(std::span<const OutputPiece> pieces);
  WriteResult send(std::initializer_list<OutputPiece> pieces) {
    return send(std::span(pieces.begin(), pieces.size()));
  }
  // True where the answer, its head in out_, is sent later, with those of other connections.
  [[nodiscard]] bool hold(const SharedBytes& body);
  void end_answer();
  void release_exchange();
  void next_request();
  void linger();
  void linger_on();
  void lost();
  void close();

  const ServerConnectionContext context_;
  const ServerOptions& options_;
  std::function<void()> on_closed_;
  std::unique_ptr<Stream> stream_;
  RequestParser parser_;
  StreamWriter writer_;
  MemberTimer<ServerConnection, &ServerConnection::on_read_timeout> read_timer_{*this};
  MemberTimer<ServerConnection, &ServerConnection::on_write_timeout> write_timer_{*this};
  std::string pending_;  // read but not parsed; one read at most, as none is armed beside it
  std::string out_;      // the head under construction, or held; little memory of it is kept
  SharedBytes held_body_;

  Phase phase_ = Phase::kHandshake;
  bool reading_ = false;
  bool pumping_ = false;
  bool input_ended_ = false;
  bool draining_ = false;
  std::size_t lingered_bytes_ = 0;
  TimePoint lingers_until_{};

  // The exchange under way. current_ is null once its answer has ended.
  Exchange* current_ = nullptr;
  std::uint64_t exchange_number_ = 0;
  RequestBody body_;
  AnswerFraming::Request request_;
  AnswerFraming framing_;
  bool started_ = false;
  bool keep_alive_ = true;
  bool continue_wanted_ = false;
  Callback drain_callback_;
  Callback disconnect_callback_;
};

}  // namespace llm_edge_cache::http
